import type { CallOff, VirtualTime } from './virtual-time.ts'

/**
 * A process: whatever happens in it happens through here. When it dies its tasks stay where they are for ever; while it is frozen they wait, and are
 * made up for afterwards.
 */
export class SimProcess {
  readonly name: string
  readonly #time: VirtualTime
  #state: 'runs' | 'frozen' | 'dead' = 'runs'
  #missed: (() => void)[] = []

  constructor(name: string, time: VirtualTime) {
    this.name = name
    this.#time = time
  }

  get state(): 'runs' | 'frozen' | 'dead' {
    return this.#state
  }

  /** Has something happen in it, by true time. */
  after(ms: number, run: () => void): CallOff {
    let open = true
    const fire = (): void => {
      if (open) this.run(() => (open ? run() : undefined))
    }
    const callOff = this.#time.after(ms, fire)
    return () => {
      open = false
      callOff()
    }
  }

  /** Has something happen in it now, or once it goes on. */
  run(work: () => void): void {
    if (this.#state === 'runs') work()
    else if (this.#state === 'frozen') this.#missed.push(work)
  }

  /** Lets so much true time pass; the answer never comes if it dies meanwhile. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve))
  }

  freeze(): void {
    if (this.#state === 'runs') this.#state = 'frozen'
  }

  /** What was missed happens now, one after the other. */
  thaw(): void {
    if (this.#state !== 'frozen') return
    this.#state = 'runs'
    for (const work of this.#missed.splice(0)) this.after(0, work)
  }

  kill(): void {
    this.#state = 'dead'
    this.#missed = []
  }
}
