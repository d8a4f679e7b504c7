import { BackendError } from '@xen-replication/hypervisor'
import { connect, type Socket } from 'node:net'
import { bodyOf, BODY_MAX, encodeMessage, MessageReader, textsOf, XS, type XsMessage } from './wire.ts'
import type { Xenstore, XenstoreView } from './xenstore.ts'

/** Where xenstored listens. */
export const XENSTORED_SOCKETS = ['/run/xenstored/socket', '/var/run/xenstored/socket'] as const

interface Waiting {
  readonly done: (body: Uint8Array) => void
  readonly fail: (error: BackendError) => void
}

/** What xenstored said no with. */
class XenstoreRefusal extends BackendError {
  readonly reason: string

  constructor(what: string, reason: string) {
    super(reason === 'EACCES' || reason === 'EPERM' ? 'BACKEND_DENIED' : 'BACKEND_HOST', `xenstored refuses to ${what}: ${reason}`)
    this.reason = reason
  }
}

/** xenstored over its socket, in its own protocol. Source: docs/misc/xenstore.txt. */
export class SocketXenstore implements Xenstore {
  readonly #socket: Socket
  readonly #waiting = new Map<number, Waiting>()
  readonly #watches = new Map<string, () => void>()
  readonly #reader = new MessageReader()
  #next = 1
  #ended: BackendError | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (bytes: Uint8Array) => this.#take(bytes))
    socket.on('error', (cause) => this.#end(new BackendError('BACKEND_HOST', 'the link to xenstored broke', { cause })))
    socket.on('close', () => this.#end(new BackendError('BACKEND_HOST', 'xenstored closed the link')))
    socket.unref()
  }

  /** @throws BackendError BACKEND_HOST */
  static async open(path: string): Promise<SocketXenstore> {
    const socket = connect(path)
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', (cause) => reject(new BackendError('BACKEND_HOST', `xenstored is not reached at ${path}`, { cause, hint: 'it runs in the control domain; `xr doctor` tells more' })))
    })
    socket.removeAllListeners('error')
    return new SocketXenstore(socket)
  }

  read(path: string): Promise<string | undefined> {
    return this.#view(0).read(path)
  }

  list(path: string): Promise<readonly string[]> {
    return this.#view(0).list(path)
  }

  write(path: string, value: string): Promise<void> {
    return this.#view(0).write(path, value)
  }

  remove(path: string): Promise<void> {
    return this.#view(0).remove(path)
  }

  async atomically<T>(work: (view: XenstoreView) => Promise<T>): Promise<T> {
    for (;;) {
      const [id] = textsOf(await this.#ask('begin', XS.transactionStart, 0, bodyOf([''])))
      const transaction = Number(id)
      try {
        const result = await work(this.#view(transaction))
        await this.#ask('commit', XS.transactionEnd, transaction, bodyOf(['T']))
        return result
      } catch (error) {
        if (error instanceof XenstoreRefusal && error.reason === 'EAGAIN') continue
        await this.#ask('roll back', XS.transactionEnd, transaction, bodyOf(['F'])).catch(() => undefined)
        throw error
      }
    }
  }

  async watch(path: string, changed: () => void): Promise<() => Promise<void>> {
    const token = `xr${this.#next}`
    this.#watches.set(token, changed)
    await this.#ask(`watch ${path}`, XS.watch, 0, bodyOf([path, token]))
    return async () => {
      this.#watches.delete(token)
      if (this.#ended === undefined) await this.#ask(`watch ${path} no more`, XS.unwatch, 0, bodyOf([path, token]))
    }
  }

  async resumeDomain(domId: number): Promise<void> {
    await this.#ask(`resume domain ${domId}`, XS.resume, 0, bodyOf([String(domId)]))
  }

  close(): void {
    this.#end(new BackendError('BACKEND_STATE', 'the link to xenstored was closed'))
    this.#socket.destroy()
  }

  #view(transaction: number): XenstoreView {
    const orElse = async <T>(work: Promise<T>, absent: T): Promise<T> => work.catch((error: unknown) => {
      if (error instanceof XenstoreRefusal && error.reason === 'ENOENT') return absent
      throw error
    })
    return {
      read: (path) => orElse(this.#ask(`read ${path}`, XS.read, transaction, bodyOf([path])).then((body) => new TextDecoder().decode(body)), undefined as string | undefined),
      list: (path) => orElse(this.#ask(`list ${path}`, XS.directory, transaction, bodyOf([path])).then(textsOf), []),
      write: async (path, value) => void (await this.#ask(`write ${path}`, XS.write, transaction, bodyOf([path], value))),
      remove: (path) => orElse(this.#ask(`remove ${path}`, XS.remove, transaction, bodyOf([path])).then(() => undefined), undefined),
    }
  }

  #ask(what: string, type: number, transaction: number, body: Uint8Array): Promise<Uint8Array> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    if (body.length > BODY_MAX) return Promise.reject(new BackendError('BACKEND_HOST', `xenstored takes ${BODY_MAX} bytes, not the ${body.length} needed to ${what}`))
    const request = this.#next++
    return new Promise((done, fail) => {
      if (this.#waiting.size === 0) this.#socket.ref()
      this.#waiting.set(request, { done, fail: (error) => fail(error instanceof XenstoreRefusal ? new XenstoreRefusal(what, error.reason) : error) })
      this.#socket.write(encodeMessage({ type, request, transaction, body }))
    })
  }

  #take(bytes: Uint8Array): void {
    try {
      for (const message of this.#reader.push(bytes)) this.#deliver(message)
    } catch (cause) {
      this.#end(new BackendError('BACKEND_HOST', 'xenstored sent what is no message of its protocol', { cause }))
      this.#socket.destroy()
    }
  }

  #deliver({ type, request, body }: XsMessage): void {
    if (type === XS.watchEvent) return this.#watches.get(textsOf(body)[1] ?? '')?.()
    const waiting = this.#waiting.get(request)
    if (waiting === undefined) return
    this.#waiting.delete(request)
    if (this.#waiting.size === 0) this.#socket.unref()
    if (type === XS.error) waiting.fail(new XenstoreRefusal('', textsOf(body)[0] ?? 'unknown'))
    else waiting.done(body)
  }

  #end(error: BackendError): void {
    this.#ended ??= error
    for (const { fail } of [...this.#waiting.values()]) fail(this.#ended)
    this.#waiting.clear()
  }
}
