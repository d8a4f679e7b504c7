import { awaitFirst, type Asked, type EffectPorts, type OptionValues } from '@xen-replication/plugin-api'
import { nextDue, nextInterval } from './interval.ts'

/**
 * Waits for the next checkpoint. Checkpoints are due one interval after the other, whenever each of them comes: that a timer is late does not add up.
 * What is more than an interval late begins a new series. What the operator asks for ends the waiting.
 */
export function intervalWait(ports: EffectPorts): () => Promise<'due' | Asked> {
  const { clock, options } = ports
  let due = clock.now()
  let intervalMs = longest(options)
  return () => {
    intervalMs = options['adaptive'] === true ? nextInterval(limits(options), intervalMs, ports.lastEpoch()) : intervalMs
    due = nextDue(due, intervalMs, clock.now())
    return awaitFirst(ports, due - clock.now(), 'due')
  }
}

const longest = (options: OptionValues): number => Number(options['interval'])
const limits = (options: OptionValues): { readonly least: number; readonly most: number } => ({ least: Math.min(Number(options['least-interval']), longest(options)), most: longest(options) })
