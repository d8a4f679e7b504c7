import { LinkError, type AbortSignalLike, type Channel, type Listener, type Transport } from '@xen-replication/plugin-api'
import { endOf, MemoryPipe } from './memory-pipe.ts'

interface Waiting {
  readonly arrived: Channel[]
  readonly accepts: { readonly resolve: (channel: Channel) => void; readonly reject: (error: Error) => void }[]
}

/** Links within a process, with a fault to be found. */
export function memoryTransport(fault = ''): Transport {
  const listeners = new Map<string, Waiting>()
  const is = (name: string): boolean => fault === name
  const requireAddress = (url: string): void => {
    if (!/^mem:./.test(url) && !is('any-address')) throw new LinkError('LINK_ADDRESS', 'no address')
  }
  const calledOff = (signal: AbortSignalLike): void => {
    if (signal.aborted && !is('abort-ignored')) throw signal.reason as Error
  }
  return {
    duplex: true,
    dial: (url, signal) => promised(() => {
      requireAddress(url)
      calledOff(signal)
      const listener = listeners.get(url)
      if (listener === undefined && !is('dials-nobody')) throw new LinkError('LINK_REFUSED', 'nobody')
      const [there, back] = [new MemoryPipe(fault), new MemoryPipe(fault)]
      const [near, far] = [endOf(there, back, fault), endOf(back, there, fault)]
      if (is('abort-cuts')) signal.addEventListener('abort', () => void near.close())
      const accept = listener?.accepts.shift()
      if (accept !== undefined) accept.resolve(far)
      else if (is('late-only')) void far.close()
      else if (is('last-first')) listener?.arrived.unshift(far)
      else listener?.arrived.push(far)
      return near
    }),
    listen: (url, signal) => promised(() => {
      requireAddress(url)
      calledOff(signal)
      if (listeners.has(url) && !is('listens-twice')) throw new LinkError('LINK_REFUSED', 'taken')
      const waiting: Waiting = { arrived: [], accepts: [] }
      listeners.set(url, waiting)
      return listenerOf(url, waiting, { is, forget: () => void (is('address-kept') || is('lets-in-late') || listeners.delete(url)) })
    }),
  }
}

function listenerOf(url: string, { arrived, accepts }: Waiting, { is, forget }: { readonly is: (name: string) => boolean; readonly forget: () => void }): Listener {
  let closed = false
  const given: Channel[] = []
  return {
    url,
    accept: (signal) => new Promise((resolve, reject) => {
      if (signal.aborted) return reject(reasonOf(signal))
      if (closed && !is('accept-hangs')) return reject(new LinkError('LINK_CLOSED', 'closed'))
      const settle = {
        resolve: (channel: Channel) => {
          given.push(channel)
          resolve(channel)
        },
        reject,
      }
      const channel = arrived.shift()
      if (channel !== undefined) return settle.resolve(channel)
      accepts.push(settle)
      signal.addEventListener('abort', () => {
        if (!is('accept-deaf')) accepts.splice(accepts.indexOf(settle) >>> 0, 1)
        if (!is('accept-deaf')) reject(reasonOf(signal))
      }, { once: true })
      return undefined
    }),
    close: () => promised(() => {
      closed = true
      forget()
      if (!is('accept-hangs')) for (const { reject } of accepts.splice(0)) reject(new LinkError('LINK_CLOSED', 'closed'))
      if (is('close-cuts')) for (const channel of given) void channel.close()
    }),
  }
}

/** Tests call off with errors only. */
function reasonOf(signal: AbortSignalLike): Error {
  return signal.reason as Error
}

function promised<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(work()))
}
