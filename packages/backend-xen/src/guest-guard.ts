import { BackendError, type CheckpointDevice } from '@xen-replication/hypervisor'
import { spawn, type ChildProcess } from 'node:child_process'

/** Waits for the word that all is over; when its input ends without it, whoever held the other end is dead. */
const SCRIPT = 'read -r word && [ "$word" = over ] || exec xl pause "$1"'

/** @param env in which it finds `xl` */
export const startWatch = (domId: number, env: NodeJS.ProcessEnv = process.env): ChildProcess =>
  spawn('/bin/sh', ['-c', SCRIPT, 'xr-guard', String(domId)], { stdio: ['pipe', 'ignore', 'ignore'], detached: true, env })

/**
 * Sees to it that a guest which another host may take over does not run on when this process dies, however it does: a small process of its own is
 * told at the end that all is well, and pauses the guest when it is not told.
 */
export class GuestGuard implements CheckpointDevice {
  readonly name = 'guard'
  readonly kind = 'guest'
  readonly #domId: number
  readonly #start: typeof startWatch
  #watch: ChildProcess | undefined

  constructor(domId: number, start = startWatch) {
    this.#domId = domId
    this.#start = start
  }

  /** @throws BackendError BACKEND_HOST */
  async setup(): Promise<void> {
    if (this.#watch !== undefined) return
    const watch = this.#start(this.#domId)
    watch.stdin?.on('error', () => undefined) // it has ended
    await new Promise<void>((resolve, reject) => {
      watch.once('spawn', resolve)
      watch.once('error', (cause) => reject(new BackendError('BACKEND_HOST', `nobody can be set to watch over domain ${this.#domId}: ${cause.message}`, { cause })))
    })
    this.#watch = watch
  }

  postsuspend(): Promise<void> {
    return Promise.resolve()
  }

  preresume(): Promise<void> {
    return Promise.resolve()
  }

  commit(): Promise<void> {
    return Promise.resolve()
  }

  waiting(): Promise<number> {
    return Promise.resolve(0)
  }

  async teardown(): Promise<void> {
    const watch = this.#watch
    this.#watch = undefined
    if (watch === undefined || watch.exitCode !== null || watch.signalCode !== null) return
    const ended = new Promise((resolve) => watch.once('exit', resolve))
    watch.stdin?.end('over\n')
    await ended
  }
}
