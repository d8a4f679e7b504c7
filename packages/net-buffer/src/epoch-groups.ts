/** What the qdisc is to be told, in this order. */
export type PlugAction = 'block' | 'release'

/**
 * Which epochs the packets in a plug qdisc belong to. The qdisc knows two groups of packets: a closed one, which `release` lets out, and an open
 * one behind it, which `block` closes; closing again forgets how large the closed group is. So an epoch that ends while the one before is not
 * acknowledged yet stays in the open group: it is let out later than it might be, never earlier.
 *
 * @see linux net/sched/sch_plug.c
 */
export class EpochGroups {
  /** The latest epoch in the closed group. */
  #closed: number | undefined
  /** The latest epoch that has ended. */
  #ended = -1

  end(epoch: number): readonly PlugAction[] {
    if (epoch <= this.#ended) return []
    this.#ended = epoch
    if (this.#closed !== undefined) return []
    this.#closed = epoch
    return ['block']
  }

  /** @param epoch the latest that is acknowledged. */
  commit(epoch: number): readonly PlugAction[] {
    if (this.#closed === undefined || this.#closed > epoch) return []
    const behind = this.#ended > this.#closed
    this.#closed = behind ? this.#ended + 1 : undefined // the open group has packets of the running epoch, too
    return behind ? ['release', 'block'] : ['release']
  }
}
