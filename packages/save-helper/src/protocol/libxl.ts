import type { Soon } from '@xen-replication/format'
import { HelperError } from '../helper-error.ts'
import { encodeMessage, type ArgumentsOf, type MessageName, type Question } from './message.ts'

/** The two pipes between a helper and libxl. */
export interface LibxlPipes {
  /** Hands over all of it. @throws whatever the system says when libxl is gone */
  send(message: Uint8Array): void
  /** The next `size` bytes; undefined when libxl has closed its end. */
  receive(size: number): Soon<Uint8Array | undefined>
}

const REPLY_BYTES = 4

/** The libxl that started the helper. */
export class Libxl {
  readonly #pipes: LibxlPipes

  constructor(pipes: LibxlPipes) {
    this.#pipes = pipes
  }

  /** Says something that libxl does not reply to. @throws HelperError HELPER_PROTOCOL when nobody listens */
  tell<N extends Exclude<MessageName, Question>>(name: N, values: ArgumentsOf<N>): void {
    this.#send(name, values)
  }

  /** Says something, and waits for the reply, however long libxl takes. @throws HelperError HELPER_PROTOCOL */
  async ask<N extends Question>(name: N, values: ArgumentsOf<N>): Promise<number> {
    this.#send(name, values)
    const reply = await this.#pipes.receive(REPLY_BYTES)
    if (reply === undefined || reply.length < REPLY_BYTES) throw gone(`libxl went away instead of answering '${name}'`)
    return new DataView(reply.buffer, reply.byteOffset, REPLY_BYTES).getInt32(0, true)
  }

  #send<N extends MessageName>(name: N, values: ArgumentsOf<N>): void {
    const message = encodeMessage(name, values)
    try {
      this.#pipes.send(message)
    } catch (cause) {
      throw gone(`libxl does not listen to '${name}'`, cause)
    }
  }
}

const gone = (what: string, cause?: unknown): HelperError =>
  new HelperError('HELPER_PROTOCOL', what, { cause, hint: 'xl, or whatever started this save or restore, has ended; the guest may stand suspended: look with xl list' })
