import type { AbortSignalLike } from '@xen-replication/hypervisor'
import { schemeOf, type Arbiter } from '@xen-replication/plugin-api'
import type { Collected } from '../plugins/collect-plugins.ts'
import { ToolstackError } from '../toolstack-error.ts'
import { ARBITRATIONS, type ArbitrationKind } from './arbitration.ts'

/** Who is to decide, as the user says it. */
export interface ArbiterChoice {
  /** `none`, or URL of an arbiter. */
  readonly arbiter?: string | undefined
  /** Without an arbiter each side takes over by itself: two guests may run. */
  readonly unsafe?: boolean | undefined
}

export interface ChosenArbiter {
  readonly kind: ArbitrationKind
  readonly arbiter: Arbiter | undefined
}

/** @throws PluginError PLUGIN_NO_ARBITER; ToolstackError TOOL_ARBITER; what opening it throws */
export async function openArbiter(collected: Collected, { arbiter = 'none', unsafe = false }: ArbiterChoice, signal: AbortSignalLike): Promise<ChosenArbiter> {
  if (arbiter !== 'none' && unsafe) throw new ToolstackError('TOOL_ARBITER', 'an arbiter was named, and that there is to be none', { hint: 'leave out --unsafe-no-arbiter' })
  if (arbiter === 'none') return { kind: unsafe ? 'unsafe' : 'none', arbiter: undefined }
  return { kind: 'arbiter', arbiter: await collected.need('arbiter', schemeOf(arbiter)).what.open(arbiter, signal) }
}

/** Both sides have to be of one kind. @throws ToolstackError TOOL_ARBITER */
export function requireSameKind(ours: ArbitrationKind, theirs: number): void {
  const kind = ARBITRATIONS[theirs]
  if (kind === ours) return
  const words = { none: 'no arbiter', arbiter: 'an arbiter', unsafe: '--unsafe-no-arbiter' }
  throw new ToolstackError('TOOL_ARBITER', `the primary has ${kind === undefined ? 'something unknown' : words[kind]}, this side ${words[ours]}`, {
    hint: 'give both sides the same --arbiter; else both could run the guest, or none',
  })
}

/**
 * The token under which a pair for a guest is made: the greatest one granted so far. Undefined where nobody can tell.
 *
 * @throws what the arbiter throws when it cannot be asked
 */
export async function latestToken({ arbiter }: ChosenArbiter, guest: string, signal: AbortSignalLike): Promise<bigint | undefined> {
  return arbiter?.latest?.(guest, signal)
}

/** Both sides have to know of the same grants: else one of them is out of date, or they ask different arbiters. @throws ToolstackError TOOL_STALE */
export function requireSameToken(ours: bigint | undefined, theirs: bigint): void {
  if (ours === undefined || ours === theirs) return
  const hint = ours > theirs ? 'the guest was taken over since the primary last asked: look where it runs; or the two sides ask different arbiters' : 'give both sides the same --arbiter'
  throw new ToolstackError('TOOL_STALE', `the arbiter here has granted token ${ours} for the guest, the primary knows of ${theirs}`, { hint })
}

/** With xl at the other end there is nothing to agree on. @throws ToolstackError TOOL_ARBITER */
export function requireXlAble({ arbiter = 'none', unsafe = false, doms = [] }: ArbiterChoice & { readonly doms?: readonly string[] }): void {
  if (doms.length > 1) throw new ToolstackError('TOOL_GUEST', 'xl takes one guest at a time', { hint: 'begin a replication for each' })
  if (arbiter !== 'none') throw new ToolstackError('TOOL_ARBITER', 'xl asks no arbiter: whatever this one says, the other side takes over', { hint: 'leave out --arbiter' })
  if (unsafe) return
  throw new ToolstackError('TOOL_ARBITER', 'xl takes over whenever it loses this side, and asks nobody: the guest may run twice then', { hint: '--unsafe-no-arbiter if you accept that; `xr receive` at the other end asks' })
}
