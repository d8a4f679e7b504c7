import { BackendError, type AbortSignalLike } from '@xen-replication/hypervisor'
import { closeSync, fstatSync, openSync, statSync, unlinkSync } from 'node:fs'
import { reasonOf } from '../clock.ts'
import { refused } from '../hypercall/refused.ts'
import type { EventChannel, EventChannels } from '../platform/event-channels.ts'
import { isPointer, openLibrary, type Koffi, type Pointer } from './libraries.ts'
import { lockFirstByte } from './file-lock.ts'

interface Calls {
  readonly open: (logger: null, flags: number) => unknown
  readonly close: (handle: Pointer) => number
  readonly fd: (handle: Pointer) => number
  readonly bind: (handle: Pointer, domId: number, port: number) => number
  readonly unbind: (handle: Pointer, port: number) => number
  readonly notify: (handle: Pointer, port: number) => number
  readonly pending: (handle: Pointer) => number
  readonly unmask: (handle: Pointer, port: number) => number
}

/** Event channels through libxenevtchn, a handle each, so that nobody hears what is another's. */
export class NativeEventChannels implements EventChannels {
  readonly #koffi: Koffi
  readonly #calls: Calls
  readonly #runDir: string
  readonly #open = new Set<EventChannel>()

  /** @throws BackendError BACKEND_UNSUPPORTED */
  constructor(koffi: Koffi, runDir: string) {
    const library = openLibrary(koffi, 'xenevtchn')
    this.#koffi = koffi
    this.#runDir = runDir
    this.#calls = {
      open: library.func('void *xenevtchn_open(void *logger, uint32_t flags)'),
      close: library.func('int xenevtchn_close(void *h)'),
      fd: library.func('int xenevtchn_fd(void *h)'),
      bind: library.func('int xenevtchn_bind_interdomain(void *h, uint32_t dom, uint32_t port)'),
      unbind: library.func('int xenevtchn_unbind(void *h, uint32_t port)'),
      notify: library.func('int xenevtchn_notify(void *h, uint32_t port)'),
      pending: library.func('int xenevtchn_pending(void *h)'),
      unmask: library.func('int xenevtchn_unmask(void *h, uint32_t port)'),
    }
  }

  bind(domId: number, remote: number): EventChannel {
    const calls = this.#calls
    const handle = calls.open(null, 0)
    if (!isPointer(handle)) throw refused('BACKEND_HOST', '/dev/xen/evtchn cannot be opened', this.#koffi.errno(), 'the module xen-evtchn has to be loaded')
    const port = calls.bind(handle, domId, remote)
    if (port < 0) {
      const errno = this.#koffi.errno()
      calls.close(handle)
      throw refused('BACKEND_HOST', `event channel ${remote} of domain ${domId} cannot be bound`, errno)
    }
    const channel = this.#channel(handle, port)
    this.#open.add(channel)
    return channel
  }

  /** Another process may take the file away between opening and locking it; then it is not the one that counts. Source: xc_suspend.c. */
  lockSuspend(domId: number): () => void {
    const path = `${this.#runDir}/suspend-evtchn-${domId}.lock`
    for (;;) {
      const fd = openLock(path)
      if (!lockFirstByte(this.#koffi, fd)) {
        closeSync(fd)
        throw new BackendError('BACKEND_STATE', `somebody else is suspending domain ${domId}`, { hint: `another xr or xl holds ${path}` })
      }
      if (isSame(fd, path)) {
        return () => {
          unlinkSync(path)
          closeSync(fd)
        }
      }
      closeSync(fd)
    }
  }

  close(): void {
    for (const channel of [...this.#open]) channel.close()
  }

  #channel(handle: Pointer, port: number): EventChannel {
    const calls = this.#calls
    const fd = calls.fd(handle)
    let bound = true
    const check = (result: number, what: string): number => {
      if (result < 0) throw refused('BACKEND_HOST', what, this.#koffi.errno())
      return result
    }
    const channel: EventChannel = {
      notify: () => void check(calls.notify(handle, port), 'the guest is not told over its event channel'),
      heard: async (ms, signal) => {
        if (!(await this.#readable(fd, ms, signal))) return false
        const heard = check(calls.pending(handle), 'the event channel does not tell who spoke')
        check(calls.unmask(handle, heard), 'the event channel cannot be made ready again')
        return heard === port
      },
      close: () => {
        if (!bound) return
        bound = false
        this.#open.delete(channel)
        calls.unbind(handle, port)
        calls.close(handle)
      },
    }
    return channel
  }

  #readable(fd: number, ms: number, signal?: AbortSignalLike): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', stop)
        poll.close()
        settle()
      }
      const stop = (): void => end(() => reject(reasonOf(signal as AbortSignalLike)))
      const timer = setTimeout(() => end(() => resolve(false)), ms)
      const poll = this.#koffi.node.poll(fd, { readable: true }, () => end(() => resolve(true)))
      if (signal?.aborted === true) stop()
      else signal?.addEventListener('abort', stop, { once: true })
    })
  }
}

function openLock(path: string): number {
  try {
    return openSync(path, 'w', 0o600)
  } catch (cause) {
    throw new BackendError('BACKEND_HOST', `${path} cannot be made`, { cause, hint: 'Xen’s folder for running things has to be there' })
  }
}

/** Whether the file open is still the one of that name. */
function isSame(fd: number, path: string): boolean {
  const there = statSync(path, { throwIfNoEntry: false })
  return there !== undefined && there.ino === fstatSync(fd).ino
}
