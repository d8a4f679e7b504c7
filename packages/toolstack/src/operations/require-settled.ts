import type { DomainSummary } from '@xen-replication/hypervisor'
import { ToolstackError } from '../toolstack-error.ts'
import { factsOf, findDomain } from './find-domain.ts'
import type { Host } from './host.ts'
import { settleLeft } from './settle-left.ts'

/**
 * Finds guests that are to be protected. One whose process died while it protected it may run elsewhere by now: that is decided first.
 *
 * @throws as `findDomain`; ToolstackError TOOL_GUEST for a guest that is named twice, TOOL_DENIED for one that may not run here
 */
export async function requireSettled(host: Host, doms: readonly string[], signal: AbortSignal): Promise<readonly DomainSummary[]> {
  const domains = await Promise.all(doms.map((dom) => findDomain(host.backend, dom)))
  const twice = domains.find(({ domId }, n) => domains.findIndex((other) => other.domId === domId) < n)
  if (twice !== undefined) throw new ToolstackError('TOOL_GUEST', `${twice.name} is named twice`, { hint: 'name each guest of a group once' })
  const notes = await host.notes.all()
  const note = notes.find(({ guests }) => guests.some((guest) => domains.some(({ domId, uuid }) => domId === guest.domId && uuid === guest.uuid)))
  if (note === undefined) return domains
  const names = note.guests.map(({ name }) => name).join(', ')
  if (note.process === 'lives') throw new ToolstackError('TOOL_GUEST', `process ${note.pid} protects ${names} already`, { hint: '`xr status` tells how that stands, `xr abort` ends it' })
  const settled = await host.operations.run({ verb: note.verb, ...factsOf(domains[0] as DomainSummary), url: undefined }, signal, (operation) => settleLeft(host, { note, graceMs: 0, undecided: 'give-up' }, operation))
  const before = `process ${note.pid} died while it protected ${names}`
  if (settled === 'paused') throw new ToolstackError('TOOL_DENIED', `${before}, and nobody can say whether the other side runs it; it is paused here`, { hint: 'look on the other host, and whether the arbiter answers; where it runs there `xr destroy` it here' })
  host.notes.drop(note)
  if (settled === 'gone') throw new ToolstackError('TOOL_DENIED', `${before}, and the other side has won it since; it is destroyed here`, { hint: 'it runs there: `xr receive` here, then `xr remus` there' })
  return requireSettled(host, doms, signal)
}
