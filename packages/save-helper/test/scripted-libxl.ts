import { decodeMessage, messages, type Message } from '../src/protocol/message.ts'
import type { LibxlPipes } from '../src/protocol/libxl.ts'

/** What a libxl does when it is asked something; undefined: it ends. */
export type Answer = (message: Message) => number | undefined | Promise<number | undefined>

/** The libxl at the other end of a helper's pipes. */
export class ScriptedLibxl implements LibxlPipes {
  readonly heard: Message[] = []
  readonly #answer: Answer
  #reply: Promise<number | undefined> | undefined
  #over = false

  constructor(answer: Answer) {
    this.#answer = answer
  }

  send(bytes: Uint8Array): void {
    if (this.#over) throw Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
    if (bytes.length !== 2 + new DataView(bytes.buffer, bytes.byteOffset).getUint16(0, true)) throw new Error('a message must be written whole')
    if (this.#reply !== undefined) throw new Error('nothing may be said while libxl has not answered')
    const message = decodeMessage(bytes.subarray(2))
    this.heard.push(message)
    if (messages[message.name].answered === 'yes') this.#reply = Promise.resolve(this.#answer(message))
  }

  async receive(size: number): Promise<Uint8Array | undefined> {
    if (size !== 4) throw new Error('a reply has four bytes')
    const value = await this.#reply
    this.#reply = undefined
    if (value === undefined) {
      this.#over = true
      return undefined
    }
    return new Uint8Array(Int32Array.of(value).buffer)
  }

  /** What was said apart from logs and progress. */
  get calls(): readonly Message[] {
    return callsOf(this.heard)
  }

  get logs(): readonly string[] {
    return this.heard.flatMap(({ name, values }) => (name === 'log' ? [`${values.level} ${values.text}`] : []))
  }
}

export const callsOf = (said: readonly Message[]): readonly Message[] => said.filter(({ name }) => name !== 'log' && name !== 'progress')
