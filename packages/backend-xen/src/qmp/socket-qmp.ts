import { BackendError, type Clock } from '@xen-replication/hypervisor'
import { connect, type Socket } from 'node:net'
import { QMP_TIMEOUT_MS, type QmpClient } from './qmp-client.ts'

/** Where the device model of a domain takes commands. */
export const qmpPath = (domId: number, runDir = '/var/run/xen'): string => `${runDir}/qmp-libxl-${domId}`

/** Longest line that is taken, in characters. */
const LINE_MAX = 16 << 20

interface Waiting {
  readonly done: (value: unknown) => void
  readonly fail: (error: BackendError) => void
}

/** Commands over a socket, one behind the other. */
export class SocketQmp implements QmpClient {
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #waiting: Waiting[] = []
  readonly #decoder = new TextDecoder()
  #text = ''
  #ended: BackendError | undefined

  private constructor(socket: Socket, clock: Clock) {
    this.#socket = socket
    this.#clock = clock
    socket.on('data', (bytes: Uint8Array) => this.#take(bytes))
    socket.on('error', (cause) => this.#end(lost('the link to it broke', cause)))
    socket.on('close', () => this.#end(lost('it closed the link')))
  }

  /** Connects and agrees on capabilities. @throws BackendError BACKEND_DEVICE_MODEL */
  static async open(path: string, clock: Clock): Promise<SocketQmp> {
    const socket = connect(path)
    const qmp = new SocketQmp(socket, clock)
    try {
      await qmp.#within(qmp.#answer(), 'greet')
      await qmp.execute('qmp_capabilities')
      return qmp
    } catch (error) {
      qmp.close()
      throw error
    }
  }

  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    const answer = this.#answer(command)
    this.#socket.write(`${JSON.stringify({ execute: command, arguments: args })}\n`)
    return this.#within(answer, command)
  }

  close(): void {
    this.#end(new BackendError('BACKEND_STATE', 'the link to the device model was closed'))
    this.#socket.destroy()
  }

  #answer(command = 'greet'): Promise<unknown> {
    return new Promise((done, fail) => {
      if (this.#ended !== undefined) return fail(this.#ended)
      this.#waiting.push({ done, fail: (error) => fail(error.message === '' ? error : new BackendError('BACKEND_DEVICE_MODEL', `${command}: ${error.message}`, { cause: error.cause })) })
    })
  }

  /** One that is late is given up: answers come in order, so that the next one would be taken for its own. */
  async #within(answer: Promise<unknown>, command: string): Promise<unknown> {
    const answered = new AbortController()
    const late = this.#clock.sleep(QMP_TIMEOUT_MS, answered.signal).then(
      () => {
        this.#end(lost(`no answer to ${command} within ${QMP_TIMEOUT_MS} ms`))
        this.#socket.destroy()
      },
      () => undefined,
    )
    try {
      return await answer
    } finally {
      answered.abort()
      await late
    }
  }

  #take(bytes: Uint8Array): void {
    this.#text += this.#decoder.decode(bytes, { stream: true })
    if (this.#text.length > LINE_MAX) return this.#broken(`a line of more than ${LINE_MAX} characters`)
    const lines = this.#text.split('\n')
    this.#text = lines.pop() ?? ''
    for (const line of lines.filter((one) => one.trim() !== '')) this.#line(line)
  }

  #line(line: string): void {
    let message: unknown
    try {
      message = JSON.parse(line)
    } catch {
      return this.#broken('a line that is no JSON')
    }
    if (typeof message !== 'object' || message === null) return this.#broken('a line that is no object')
    if ('event' in message) return
    const waiting = this.#waiting.shift()
    if ('error' in message) waiting?.fail(lost(describe(message.error)))
    else waiting?.done('return' in message ? message.return : message)
  }

  #broken(what: string): void {
    this.#end(lost(`it sent ${what}`))
    this.#socket.destroy()
  }

  #end(error: BackendError): void {
    this.#ended ??= error
    for (const { fail } of this.#waiting.splice(0)) fail(this.#ended)
  }
}

const lost = (what: string, cause?: unknown): BackendError => new BackendError('BACKEND_DEVICE_MODEL', `device model: ${what}`, { cause, hint: 'its log is in /var/log/xen/qemu-dm-NAME.log' })

const describe = (error: unknown): string => (typeof error === 'object' && error !== null && 'desc' in error ? String(error.desc) : JSON.stringify(error))
