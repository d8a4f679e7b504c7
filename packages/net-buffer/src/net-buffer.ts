import type { CheckpointDevice, Clock } from '@xen-replication/hypervisor'
import { EpochGroups, type PlugAction } from './epoch-groups.ts'
import { IpRoute, stepsToHold, withoutIfb, withoutIngress, type Removal } from './iproute.ts'
import { bufferedVifs, type BufferedVif } from './link-names.ts'
import { NetBufferError } from './net-buffer-error.ts'
import { runProgram, type Run } from './run-program.ts'

export interface NetBufferOptions {
  /** Interfaces of the guest on this host: `vif3.0`. */
  readonly vifs: readonly string[]
  /** Most bytes that wait at one interface; what comes then is lost as on a full wire. Default 10,000,000, as with upstream Remus. */
  readonly limitBytes?: number
  readonly clock: Clock
  readonly run?: Run
}

/** Source: remus-netbuf-setup in Xen's tools/hotplug/Linux. */
const LIMIT_BYTES = 10_000_000
/** How long packets that were released may take to get out, in milliseconds, and how often to look. */
const DRAIN_MS = 5000
const LOOK_MS = 5

/**
 * Holds back all packets that a guest sends, IPv4, IPv6, ARP and any other, until the backup has their epoch.
 *
 * @throws NetBufferError NETBUF_VIF for names that cannot be
 */
export function netBuffer({ vifs, limitBytes = LIMIT_BYTES, clock, run = runProgram }: NetBufferOptions): CheckpointDevice {
  return new NetBuffer(bufferedVifs(vifs), limitBytes, clock, new IpRoute(run))
}

class NetBuffer implements CheckpointDevice {
  readonly name = 'network'
  readonly kind = 'network'
  readonly #vifs: readonly BufferedVif[]
  readonly #limitBytes: number
  readonly #clock: Clock
  readonly #iproute: IpRoute
  /** While set up. */
  #groups: EpochGroups | undefined

  constructor(vifs: readonly BufferedVif[], limitBytes: number, clock: Clock, iproute: IpRoute) {
    this.#vifs = vifs
    this.#limitBytes = limitBytes
    this.#clock = clock
    this.#iproute = iproute
  }

  async setup(): Promise<void> {
    if (this.#groups !== undefined) throw new NetBufferError('NETBUF_STATE', 'the packets are held back already', { hint: 'report this' })
    for (const one of this.#vifs) {
      if (!(await this.#iproute.has(one.vif))) throw new NetBufferError('NETBUF_VIF', `${one.vif} is not there`, { hint: 'look at `ip link`: the guest may be gone' })
      await this.#removeLeftOver(one)
    }
    await this.#hold()
    this.#groups = new EpochGroups()
  }

  async postsuspend(epoch: number): Promise<void> {
    await this.#tell(this.#held().end(epoch))
  }

  preresume(): Promise<void> {
    return Promise.resolve()
  }

  async commit(epoch: number): Promise<void> {
    await this.#tell(this.#held().commit(epoch))
  }

  waiting(): Promise<number> {
    return this.#groups === undefined ? Promise.resolve(0) : this.#queued()
  }

  async #queued(): Promise<number> {
    if (this.#vifs.length === 0) return 0
    const each = await this.#iproute.waiting(this.#vifs.map(({ ifb }) => ifb))
    return each.reduce((sum, one) => sum + one, 0)
  }

  async teardown(held: 'release' | 'drop'): Promise<void> {
    if (this.#groups === undefined) return
    this.#groups = undefined
    if (held === 'release') return this.#release()
    for (const one of this.#vifs) await this.#iproute.remove(withoutIfb(one)) // first: what still comes is lost with it
    for (const one of this.#vifs) await this.#iproute.remove(withoutIngress(one))
  }

  async #hold(): Promise<void> {
    const undo: Removal[] = []
    try {
      for (const step of this.#vifs.flatMap((one) => stepsToHold(one, this.#limitBytes))) {
        await this.#iproute.do(step)
        if (step.undo !== undefined) undo.unshift(step.undo)
      }
    } catch (error) {
      for (const one of undo) await this.#iproute.remove(one)
      throw error
    }
  }

  /** Packets go through the ifb until it is empty, so that later ones do not overtake them. */
  async #release(): Promise<void> {
    if (this.#vifs.length === 0) return
    let left = 0
    try {
      await this.#iproute.batch(this.#vifs.map(({ ifb }) => `qdisc change dev ${ifb} root plug release_indefinite`))
      left = await this.#drained()
      for (const one of this.#vifs) await this.#iproute.remove(withoutIngress(one))
      if (left === 0) left = await this.#drained()
    } finally {
      for (const one of this.#vifs) await this.#iproute.remove(withoutIngress(one))
      for (const one of this.#vifs) await this.#iproute.remove(withoutIfb(one))
    }
    if (left > 0) throw new NetBufferError('NETBUF_STUCK', `${left} packets of the guest were released and did not get out`, { hint: 'look at `ip -s link`, and whether the bridge is up' })
  }

  /** Waits until nothing is left to get out. @returns how many packets are, when that takes too long */
  async #drained(): Promise<number> {
    const end = this.#clock.now() + DRAIN_MS
    for (;;) {
      const left = await this.#queued()
      if (left === 0 || this.#clock.now() >= end) return left
      await this.#clock.sleep(LOOK_MS)
    }
  }

  async #tell(actions: readonly PlugAction[]): Promise<void> {
    if (actions.length === 0 || this.#vifs.length === 0) return
    await this.#iproute.batch(actions.flatMap((action) => this.#vifs.map(({ ifb }) => `qdisc change dev ${ifb} root plug ${action}`)))
  }

  /** What a process that died has left: its packets were never acknowledged. */
  async #removeLeftOver(one: BufferedVif): Promise<void> {
    if (await this.#iproute.remove(withoutIfb(one))) await this.#iproute.remove(withoutIngress(one))
  }

  #held(): EpochGroups {
    if (this.#groups !== undefined) return this.#groups
    throw new NetBufferError('NETBUF_STATE', 'the packets are not held back', { hint: 'report this' })
  }
}
