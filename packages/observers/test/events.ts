import type { AnyObservedEvent, ObservedEvents, ObservedKind } from '@xen-replication/plugin-api'

/** An event as the toolstack would tell it. */
export const event = <K extends ObservedKind>(kind: K, at: number, data: ObservedEvents[K], operation = 'o'): AnyObservedEvent => ({ kind, at, operation, data }) as unknown as AnyObservedEvent

/** A primary that protects a guest for some epochs, loses its backup and goes on alone. */
export function protection(epochs: number, { guest = 'web', operation = 'o' }: { readonly guest?: string; readonly operation?: string } = {}): readonly AnyObservedEvent[] {
  const of = <K extends ObservedKind>(kind: K, at: number, data: ObservedEvents[K]): AnyObservedEvent => event(kind, at, data, operation)
  const end = 1000 + 100 * epochs
  return [
    of('operation.begin', 0, { verb: 'remus', guest, url: 'tcp://backup:9000' }),
    of('replication.begin', 1, { strategy: 'remus', options: { interval: 100 }, heartbeatMs: 100, silenceMs: 300, arbitration: 'arbiter' }),
    of('link.up', 2, { url: 'tcp://backup:9000' }),
    of('save.pass-begin', 3, { pass: 'live', round: 0, expected: 100 }),
    of('save.pages', 4, { pass: 'live', round: 0, sent: 50, expected: 100, bytes: 200_000 }),
    of('save.pages', 5, { pass: 'live', round: 0, sent: 100, expected: 100, bytes: 400_000 }),
    of('save.pass-end', 6, { pass: 'live', round: 0, sent: 100, deferred: 0, bytes: 400_000 }),
    ...Array.from({ length: epochs }, (_, epoch) => epoch).flatMap((epoch) => {
      const at = 1000 + 100 * epoch
      return [
        of('strategy.move', at, { role: 'primary', from: 'waiting', event: 'due', to: 'sent' }),
        of('epoch.staged', at + 2, { epoch, pages: 10, bytes: 40_960, pauseMs: 2 }),
        of('epoch.acknowledged', at + 5, { epoch, latencyMs: 5 }),
        of('strategy.move', at + 5, { role: 'primary', from: 'sent', event: 'stored', to: 'waiting' }),
        of('epoch.released', at + 6, { epoch, heldMs: 106 }),
      ]
    }),
    of('strategy.move', end, { role: 'primary', from: 'waiting', event: 'peer-lost', to: 'arbitrating' }),
    of('arbiter.answer', end + 10, { session: 's', answer: 'granted', reason: undefined }),
    of('strategy.move', end + 10, { role: 'primary', from: 'arbitrating', event: 'won', to: 'winning' }),
    of('link.down', end + 11, { url: 'tcp://backup:9000', code: 'LINK_TIMEOUT' }),
    of('operation.end', end + 20, { outcome: 'failed', code: 'TOOL_UNPROTECTED', seconds: (end + 20) / 1000 }),
  ]
}
