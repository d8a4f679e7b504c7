import { awaitFirst, type Asked, type EffectPorts } from '@xen-replication/plugin-api'

/** Effects of a primary that wait for the next checkpoint. */
export interface Watching {
  /** Waits until the two guests have sent different things, or the longest time since the last checkpoint is over. A wish of either operator comes first. */
  readonly awaitDivergence: () => Promise<'diverged' | 'due' | 'hand-over' | Asked>
  /** The secondary's operator wants the guest, at a moment at which it cannot be handed over. */
  readonly noteAsked: () => Promise<undefined>
}

export function watching(ports: EffectPorts): Watching {
  const interval = Number(ports.options['interval'])
  let asked = false
  return {
    awaitDivergence: async () => {
      if (asked) return 'hand-over'
      return awaitFirst<'diverged' | 'due'>(ports, interval, 'due', (signal) => ports.diverged(signal).then(() => 'diverged'))
    },
    noteAsked: () => {
      asked = true
      return Promise.resolve(undefined)
    },
  }
}
