import type { CheckpointDevice } from '@xen-replication/hypervisor'

/** A device whose effects on the outside can be held until the epoch they belong to is committed. */
export abstract class HeldDevice<Effect> implements CheckpointDevice {
  abstract readonly kind: CheckpointDevice['kind']
  readonly name: string
  /** Lets an effect be seen outside. */
  readonly release: (effect: Effect) => void
  /** Takes effects before they are seen or held, while it is set. */
  takes: ((effect: Effect) => void) | undefined
  #held: { readonly epoch: number; readonly effects: Effect[] }[] = []
  #buffering = false
  #epoch = 0

  /** @param release lets an effect be seen outside. */
  constructor(name: string, release: (effect: Effect) => void) {
    this.name = name
    this.release = release
  }

  /** Effects not seen yet, oldest first. */
  get held(): readonly Effect[] {
    return this.#held.flatMap(({ effects }) => effects)
  }

  /** Something that the guest does: seen at once unless effects are held, or taken. */
  happen(effect: Effect): void {
    if (this.takes !== undefined) return this.takes(effect)
    if (!this.#buffering) return this.release(effect)
    const last = this.#held.at(-1)
    if (last?.epoch === this.#epoch) last.effects.push(effect)
    else this.#held.push({ epoch: this.#epoch, effects: [effect] })
  }

  setup(): Promise<void> {
    this.#buffering = true
    this.#epoch = 0
    return Promise.resolve()
  }

  postsuspend(epoch: number): Promise<void> {
    this.#epoch = epoch + 1
    return Promise.resolve()
  }

  preresume(): Promise<void> {
    return Promise.resolve()
  }

  commit(epoch: number): Promise<void> {
    const done = this.#held.filter((part) => part.epoch <= epoch)
    this.#held = this.#held.filter((part) => part.epoch > epoch)
    for (const { effects } of done) effects.forEach(this.release)
    return Promise.resolve()
  }

  waiting(): Promise<number> {
    return Promise.resolve(this.held.length)
  }

  teardown(held: 'release' | 'drop'): Promise<void> {
    const rest = this.held
    this.#held = []
    this.#buffering = false
    if (held === 'release') rest.forEach(this.release)
    return Promise.resolve()
  }
}
