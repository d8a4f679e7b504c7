import type { EffectPorts, OptionValues } from '@xen-replication/plugin-api'
import { nextDue, nextInterval } from './interval.ts'

/** How long to wait before the arbiter is asked again, in milliseconds. */
const ASK_AGAIN_MS = 1000

type Waiting = 'due' | 'stop' | 'failover'

/**
 * Waits for the next checkpoint. Checkpoints are due one interval after the other, whenever each of them comes: that a timer is late does not add up.
 * What is more than an interval late begins a new series. What the operator asks for ends the waiting.
 */
export function intervalWait(ports: EffectPorts): () => Promise<Waiting> {
  const { clock, options } = ports
  let due = clock.now()
  let intervalMs = longest(options)
  return () => {
    intervalMs = options['adaptive'] === true ? nextInterval(limits(options), intervalMs, ports.lastEpoch()) : intervalMs
    due = nextDue(due, intervalMs, clock.now())
    return first<Waiting>(due - clock.now(), 'due', ports)
  }
}

/** Waits until the arbiter may be asked once more, or the operator decides. */
export function wordWait(ports: EffectPorts): () => Promise<'again' | 'stop' | 'failover'> {
  return () => first(ASK_AGAIN_MS, 'again', ports)
}

/** What comes first: the time, or a word of the operator. */
async function first<E extends string>(ms: number, event: E, ports: EffectPorts): Promise<E | 'stop' | 'failover'> {
  const { clock, signal } = ports
  const over = new AbortController()
  const stop = (): void => over.abort(signal.reason)
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  const time = clock.sleep(Math.max(0, ms), over.signal).then(() => event)
  const word = ports.requested(over.signal).then((request) => (request === 'failover' ? 'failover' : 'stop'))
  try {
    return await Promise.race([word, time])
  } finally {
    signal.removeEventListener('abort', stop)
    over.abort(new Error('the waiting is over'))
    for (const pending of [time, word]) pending.catch(() => undefined)
  }
}

const longest = (options: OptionValues): number => Number(options['interval'])
const limits = (options: OptionValues): { readonly least: number; readonly most: number } => ({ least: Math.min(Number(options['least-interval']), longest(options)), most: longest(options) })
