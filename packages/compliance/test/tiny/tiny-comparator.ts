import type { Comparator, Comparison, Divergence, GuestPacket } from '@xen-replication/hypervisor'
import type { ComparatorBench } from '@xen-replication/compliance'

interface Waiting {
  readonly packet: GuestPacket
  readonly at: number
}

const TIMEOUT_MS = 100
const MOST = 50

/** Compares packets of a flow one by one, with a fault to be found. */
export function tinyComparator(fault = ''): ComparatorBench {
  const is = (name: string): boolean => fault === name
  let queues: Record<'primary' | 'secondary', Waiting[]> = { primary: [], secondary: [] }
  let diverged: Divergence | undefined
  let alone = false
  const flowOf = ({ card, flow = 'none' }: GuestPacket): string => (is('one-flow') ? '' : `${is('one-card') ? '' : card} ${flow}`)
  const firstOf = (side: 'primary' | 'secondary', flow: string): Waiting | undefined => (is('last-first') && side === 'primary' ? queues[side].findLast(({ packet }) => flowOf(packet) === flow) : queues[side].find(({ packet }) => flowOf(packet) === flow))
  const remove = (side: 'primary' | 'secondary', one: Waiting): void => void (queues[side] = queues[side].filter((other) => other !== one))
  const oldest = (): number => Math.min(...[...queues.primary, ...(is('late-of-one') ? [] : queues.secondary)].map(({ at }) => at))

  const take = (side: 'primary' | 'secondary', packet: GuestPacket, at: number): Comparison => {
    if (alone) return { release: side === 'primary' ? [packet] : [], diverged: undefined }
    if (packet.flow === undefined && packet.bytes.length < 14 && is('needs-frames')) throw new RangeError('no frame')
    if (packet.flow === undefined && is('lets-odd-go')) return { release: side === 'primary' ? [packet] : [], diverged }
    queues[side].push({ packet, at })
    if (queues[side].length > MOST && !is('never-full')) diverged ??= 'full'
    const release = diverged === undefined || is('goes-on') ? compared(flowOf(packet)) : []
    const answer = { release, diverged }
    if (is('says-once')) diverged = undefined
    return answer
  }
  const compared = (flow: string): GuestPacket[] => {
    const [here, there] = [firstOf('primary', flow), firstOf('secondary', flow)]
    if (here === undefined || there === undefined) return is('impatient') && here !== undefined ? [here.packet] : []
    if (!is('believes') && Buffer.compare(here.packet.bytes, there.packet.bytes) !== 0) {
      diverged ??= 'differs'
      return []
    }
    remove('primary', here)
    remove('secondary', there)
    return [is('secondary-leaves') ? there.packet : here.packet, ...compared(flow)]
  }
  const flush = (): readonly GuestPacket[] => {
    const waited = queues.primary.map(({ packet }) => packet)
    queues = { primary: is('keeps-primary') ? queues.primary : [], secondary: is('keeps-secondary') ? queues.secondary : [] }
    if (!is('stays-diverged')) diverged = undefined
    return is('reversed') ? waited.toReversed() : waited
  }
  const comparator: Comparator = {
    primary: (packet, now) => take('primary', packet, now),
    secondary: (packet, now) => take('secondary', packet, now),
    look: (now) => {
      if (!is('never-late') && diverged === undefined && oldest() + TIMEOUT_MS <= now) diverged = 'late'
      return { release: [], diverged }
    },
    get due() {
      return diverged !== undefined || (oldest() === Infinity && !is('always-due')) ? undefined : Math.min(oldest(), 1e6) + TIMEOUT_MS
    },
    get waiting() {
      return is('counts-both') ? queues.primary.length + queues.secondary.length + 1 : queues.primary.length
    },
    checkpoint: flush,
    failover: () => {
      alone = !is('never-alone')
      return flush()
    },
  }
  return { comparator, close: () => Promise.resolve() }
}
