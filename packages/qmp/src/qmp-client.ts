import { connect, type Socket } from 'node:net'
import type { Clock } from '@xen-replication/hypervisor'
import { QmpError } from './qmp-error.ts'
import { QmpLines, type QmpMessage } from './qmp-lines.ts'

/** An event as it came. */
export interface QmpEvent {
  readonly name: string
  readonly data: Readonly<Record<string, unknown>>
}

/** A QEMU that takes commands. */
export interface Qmp {
  /**
   * @returns what it gives back
   * @throws QmpError QMP_REFUSED, QMP_LOST, QMP_TIMEOUT, QMP_CLOSED
   */
  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>
  /** Told of every event from now on. @returns how to stop it */
  onEvent(see: (event: QmpEvent) => void): () => void
  /** Resolves when the link is gone, with the reason. Never fails. */
  readonly gone: Promise<QmpError>
  close(): void
}

export interface QmpOptions {
  readonly clock: Clock
  /** Longest wait for the greeting and for each answer, in milliseconds; default 10,000. Source: libxl. */
  readonly answerMs?: number
}

/**
 * Connects to a monitor and agrees on capabilities.
 *
 * @param at path of a unix socket, or a host and a port
 * @throws QmpError QMP_LOST, QMP_TIMEOUT, QMP_MALFORMED
 */
export async function openQmp(at: string | { readonly host: string; readonly port: number }, options: QmpOptions): Promise<Qmp> {
  const client = new QmpClient(typeof at === 'string' ? connect(at) : connect(at), options)
  try {
    await client.greeted()
    await client.execute('qmp_capabilities')
    return client
  } catch (error) {
    client.close()
    throw error
  }
}

interface Waiting {
  readonly command: string
  readonly done: (value: unknown) => void
  readonly fail: (error: QmpError) => void
}

const ANSWER_MS = 10_000
/** Answers are found by it; the greeting has no id. */
const GREETING = -1

class QmpClient implements Qmp {
  readonly gone: Promise<QmpError>
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #answerMs: number
  readonly #lines = new QmpLines()
  readonly #waiting = new Map<number, Waiting>()
  readonly #watchers = new Set<(event: QmpEvent) => void>()
  #tellGone: (error: QmpError) => void = () => undefined
  #ended: QmpError | undefined
  #last = 0

  constructor(socket: Socket, { clock, answerMs = ANSWER_MS }: QmpOptions) {
    this.#socket = socket
    this.#clock = clock
    this.#answerMs = answerMs
    this.gone = new Promise((resolve) => (this.#tellGone = resolve))
    socket.on('data', (bytes) => this.#take(bytes))
    socket.on('error', (cause) => this.#end(new QmpError('QMP_LOST', `the link to QEMU broke: ${cause.message}`, { cause, hint: 'does QEMU run, with -qmp at this address?' })))
    socket.on('close', () => this.#end(new QmpError('QMP_LOST', 'QEMU closed the link', { hint: 'it ended: look at what it printed' })))
  }

  greeted(): Promise<unknown> {
    return this.#answer(GREETING, 'the greeting')
  }

  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    const id = ++this.#last
    const answer = this.#answer(id, command)
    this.#socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`)
    return answer
  }

  onEvent(see: (event: QmpEvent) => void): () => void {
    this.#watchers.add(see)
    return () => void this.#watchers.delete(see)
  }

  close(): void {
    this.#end(new QmpError('QMP_CLOSED', 'the link to QEMU was closed'))
    this.#socket.destroy()
  }

  async #answer(id: number, command: string): Promise<unknown> {
    const over = new AbortController()
    const answer = new Promise<unknown>((done, fail) => {
      if (this.#ended === undefined) this.#waiting.set(id, { command, done, fail })
      else fail(this.#ended)
    })
    const late = this.#clock.sleep(this.#answerMs, over.signal).then(() => this.#late(id, command), () => undefined)
    try {
      return await answer
    } finally {
      over.abort()
      await late
    }
  }

  #late(id: number, command: string): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id) // its answer is passed over when it comes after all
    waiting?.fail(new QmpError('QMP_TIMEOUT', `${command} was not answered within ${this.#answerMs} ms`, { hint: 'its main loop may be stuck; the guest may run all the same' }))
  }

  #take(bytes: Uint8Array): void {
    try {
      for (const message of this.#lines.take(bytes)) this.#see(message)
    } catch (error) {
      this.#end(error as QmpError)
      this.#socket.destroy()
    }
  }

  #see(message: QmpMessage): void {
    if (message.kind === 'event') {
      for (const see of this.#watchers) see({ name: message.name, data: message.data })
      return
    }
    const id = message.kind === 'greeting' ? GREETING : Number(message.id)
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (message.kind === 'error') waiting?.fail(new QmpError('QMP_REFUSED', `${waiting.command}: ${message.desc}`, { errorClass: message.errorClass }))
    else waiting?.done(message.kind === 'return' ? message.value : undefined)
  }

  #end(error: QmpError): void {
    this.#ended ??= error
    this.#tellGone(this.#ended)
    for (const { fail } of this.#waiting.values()) fail(this.#ended)
    this.#waiting.clear()
  }
}
