import type { Packet } from '@xen-replication/backend-mock'
import type { CheckpointDevice, GuestBuilder, PacketTap } from '@xen-replication/hypervisor'
import { go, type Arbiter, type Strategy } from '@xen-replication/plugin-api'
import type { PrimaryLink, SecondaryLink } from '@xen-replication/toolstack'
import type { Chance } from './chance.ts'
import type { Scenario } from './run/scenario.ts'
import type { Times } from './run/tasks.ts'

/** What a fault puts in place of parts of a run, from outside. */
export interface Mutation {
  readonly summary: string
  readonly strategy?: (strategy: Strategy) => Strategy
  readonly times?: (times: Times) => Times
  readonly arbiter?: (arbiter: Arbiter) => Arbiter
  /** @param devices those of the primary's guest */
  readonly primaryLink?: (link: PrimaryLink, devices: readonly CheckpointDevice[]) => PrimaryLink
  readonly secondaryLink?: (link: SecondaryLink) => SecondaryLink
  /** A device of the primary's guest. */
  readonly device?: (device: CheckpointDevice) => CheckpointDevice
  /** Memory of the secondary's guest. */
  readonly builder?: (memory: GuestBuilder) => GuestBuilder
  /** A card of the primary's guest. */
  readonly tap?: (tap: PacketTap) => PacketTap
  /** A call that fails, where the mistake is about one. */
  readonly broken?: (chance: Chance) => Scenario['broken']
  /** Packets that are not held back. */
  readonly leaks?: (packet: Packet) => boolean
}

/** Mistakes that replication has been made with; the simulation has to find each. */
export const faults = {
  'release-before-ack': {
    summary: 'output is released when an epoch has been written to the link, not when it is acknowledged',
    primaryLink: (link, devices) => ({
      ...linkOf(link),
      endEpoch: async (epoch) => {
        await link.endEpoch(epoch)
        await Promise.all(devices.map((device) => device.commit(epoch)))
      },
    }),
  },
  'ipv4-only-buffer': { summary: 'the network buffer holds back IPv4 and nothing else', leaks: (packet) => protocolOf(packet) !== 'IPv4' },
  'no-arbiter': {
    summary: 'whoever loses the link takes over',
    arbiter: (arbiter) => ({
      claim: (claim) => Promise.resolve({ answer: 'granted', grant: { claim, token: 1n } }),
      holds: () => Promise.resolve(true),
      close: () => arbiter.close(),
    }),
  },
  'no-heartbeat': { summary: 'nobody looks whether the peer is silent', times: (times) => ({ ...times, heartbeatMs: 60_000, silenceMs: 600_000 }) },
  'ack-before-store': { summary: 'an epoch is acknowledged when it begins to arrive', secondaryLink: hasty },
  'resume-after-losing': {
    summary: 'the primary lets the guest go on after it has lost the arbitration',
    strategy: (strategy) => ({ ...strategy, primary: { ...strategy.primary, table: { ...strategy.primary.table, arbitrating: { ...strategy.primary.table['arbitrating'], lost: go('alone', 'resume', 'release-guest') } } } }),
  },
  'skip-suspended': {
    summary: 'the primary does not wait until the secondary stands, and never learns what that wrote',
    strategy: (strategy) => {
      const { table } = strategy.primary
      const checkpoint = go('sent', 'send:checkpoint-new', 'suspend', 'postsuspend', 'send-memory', 'send-checkpoint', 'expect')
      return { ...strategy, primary: { ...strategy.primary, table: { ...table, comparing: { ...table['comparing'], diverged: checkpoint, due: checkpoint }, sent: { ...table['sent'], 'svm-suspended': go('sent', 'expect') } } } }
    },
  },
  'half-checkpoint': { summary: 'half of the memory of a checkpoint becomes part of the secondary', builder: halfOf },
  'release-unequal': {
    summary: 'output of the primary leaves whether the secondary has sent the same or not',
    tap: (tap) => ({
      ...tapOf(tap),
      taken: async (signal) => {
        const packets = await tap.taken(signal)
        await tap.send(packets)
        return packets
      },
    }),
  },
  'ignore-replication-error': {
    summary: 'that the disk could not replicate an epoch is heard by nobody',
    broken: (chance) => ({ who: 'a', call: 'device.postsuspend', time: chance.whole(2, 4) }),
    device: (device) => ({ ...deviceOf(device), postsuspend: (epoch) => device.postsuspend(epoch).catch(() => undefined) }),
  },
} as const satisfies Readonly<Record<string, Mutation>>

export type FaultName = keyof typeof faults

export const faultNames = Object.keys(faults) as readonly FaultName[]

export const mutationOf = (fault: FaultName | undefined): Mutation => (fault === undefined ? { summary: 'nothing' } : faults[fault])

/** What a packet of the simulated guest is. */
const protocolOf = ({ number }: Pick<Packet, 'number'>): 'IPv4' | 'IPv6' | 'ARP' => (['IPv4', 'IPv6', 'ARP'] as const)[number % 3] as 'IPv4'

/** The methods of a card as properties, so that some can be put in place of them. */
function tapOf(tap: PacketTap): PacketTap {
  return { open: () => tap.open(), taken: (signal) => tap.taken(signal), rest: () => tap.rest(), send: (packets) => tap.send(packets), close: (held) => tap.close(held) }
}

function deviceOf(device: CheckpointDevice): CheckpointDevice {
  return {
    name: device.name,
    kind: device.kind,
    setup: (session) => device.setup(session),
    postsuspend: (epoch) => device.postsuspend(epoch),
    preresume: (epoch) => device.preresume(epoch),
    commit: (epoch) => device.commit(epoch),
    waiting: () => device.waiting(),
    teardown: (held) => device.teardown(held),
  }
}

/** Memory of which the second half of all that is mapped at a time is never written. */
function halfOf(memory: GuestBuilder): GuestBuilder {
  return {
    populate: (pfns, order) => memory.populate(pfns, order),
    map: async (frames) => {
      const mapped = await memory.map(frames)
      const half = Math.ceil(mapped.count / 2)
      const pages = Array.from({ length: mapped.count }, (_, i) => (i < half ? mapped.page(i) : mapped.page(i).slice()))
      return { count: mapped.count, views: pages, page: (i) => pages[i] ?? mapped.page(i), close: () => mapped.close() }
    },
  }
}

/** The methods of a link as properties, so that some can be put in place of them. */
export function linkOf(link: PrimaryLink): PrimaryLink {
  return {
    signal: link.signal,
    sink: (member) => link.sink(member),
    endEpoch: (epoch) => link.endEpoch(epoch),
    say: (word) => link.say(word),
    next: () => link.next(),
    heard: () => link.heard(),
    take: (word) => link.take?.(word),
    cut: (error) => link.cut(error),
  }
}

export function backLinkOf(link: SecondaryLink): SecondaryLink {
  return {
    signal: link.signal,
    source: (member) => link.source(member),
    word: () => link.word(),
    epochEnd: () => link.epochEnd(),
    stored: (epoch) => link.stored(epoch),
    say: (word) => link.say(word),
    cut: (error) => link.cut(error),
  }
}

/** Acknowledges with the first bytes of an epoch. */
function hasty(link: SecondaryLink): SecondaryLink {
  let due = 0
  let said = -1
  return {
    ...backLinkOf(link),
    source: (member) => {
      const source = link.source(member)
      return {
        read: async (max) => {
          const bytes = await source.read(max)
          if (bytes !== undefined && said < due) await link.stored((said = due))
          return bytes
        },
      }
    },
    stored: (epoch) => {
      due = epoch + 1
      return Promise.resolve()
    },
  }
}
