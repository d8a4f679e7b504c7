import { awaitFirst, type Asked, type EffectPorts, type OptionValues } from '@xen-replication/plugin-api'
import { nextInterval } from './interval.ts'

/**
 * Waits for the next checkpoint, which begins one interval after the last one did, at once when that is over. What the operator asks for ends the
 * waiting.
 */
export function intervalWait(ports: EffectPorts): () => Promise<'due' | Asked> {
  const { clock, options } = ports
  let began = clock.now()
  let intervalMs = longest(options)
  return async () => {
    intervalMs = options['adaptive'] === true ? nextInterval(limits(options), intervalMs, ports.lastEpoch()) : intervalMs
    const left = began + intervalMs - clock.now()
    const event = await awaitFirst(ports, left, 'due')
    began = clock.now()
    return event
  }
}

const longest = (options: OptionValues): number => Number(options['interval'])
const limits = (options: OptionValues): { readonly least: number; readonly most: number } => ({ least: Math.min(Number(options['least-interval']), longest(options)), most: longest(options) })
