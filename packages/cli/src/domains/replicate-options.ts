import type { OptionValues as StrategyValues } from '@xen-replication/plugin-api'
import type { ReplicateRequest } from '@xen-replication/toolstack'
import { resolve } from 'node:path'
import { usageError } from '../cli-error.ts'
import { switchOption, textOption, type Option, type OptionValues, type VerbContext } from '../commands/command.ts'
import { observerOptions } from './observer-options.ts'
import { millisecondsOf } from './quantity.ts'

/** Who decides when the two sides lose each other; both sides are given the same. */
export const arbiterOptions: readonly Option[] = [
  { flags: '--arbiter <WHO>', what: 'who decides which side lives when they lose each other, the same on both: none, file:PATH, exec:CMD, etcd://HOST:PORT/KEY', standard: 'none' },
  { flags: '--unsafe-no-arbiter', what: 'nobody decides and each side takes over by itself: the guest may run twice' },
]

/** What a peer of libxl's COLO does that is not specified. */
export const quirkOption: Option = { flags: '--quirk <NAME>', what: 'with libxl’s COLO: c64-surplus for Xen’s own 64-bit secondary, whose lists of dirty pages have 8 bytes too many', choices: ['c64-surplus'] }

/** The value of that. */
export const quirkOf = (options: OptionValues): 'c64-surplus' | undefined => (textOption(options, 'quirk') === 'c64-surplus' ? 'c64-surplus' : undefined)

/** Options of every replication. */
export const replicationOptions: readonly Option[] = [
  ...arbiterOptions,
  { flags: '--heartbeat <TIME>', what: 'how often each side says that it lives', standard: '100ms' },
  { flags: '--failure-timeout <TIME>', what: 'silence after which the other side is taken for lost', standard: 'three heartbeats' },
  { flags: '--compress <HOW>', what: 'auto, none, or a compression that both have', standard: 'auto' },
  ...observerOptions,
]

/** @returns what `receive` and replications are told of an arbiter */
export function arbiterChoice(options: OptionValues, { cwd }: Pick<VerbContext, 'cwd'>): Pick<ReplicateRequest, 'arbiter' | 'unsafe'> {
  const arbiter = textOption(options, 'arbiter')
  const path = arbiter?.startsWith('file:') === true && !arbiter.startsWith('file://') ? `file:${resolve(cwd, arbiter.slice('file:'.length))}` : arbiter
  return { arbiter: path, unsafe: switchOption(options, 'unsafeNoArbiter') }
}

/** What a replication is asked to do. */
export function replicateRequest(verb: string, strategy: string, words: readonly string[], given: StrategyValues, options: OptionValues, ctx: Pick<VerbContext, 'cwd'>): ReplicateRequest {
  const nobody = given['blackhole'] === true
  const hasUrl = words.length > 1 && (!nobody || isUrl(words.at(-1) ?? ''))
  const last = words.at(-1) ?? ''
  if (!nobody && words.length > 1 && !isUrl(last) && words.some(isUrl)) throw usageError(`${verb}: the URL comes last, behind the guests`, `xr ${verb} ${words.filter((word) => !isUrl(word)).join(' ')} ${words.find(isUrl) ?? ''}`)
  if (!nobody && !hasUrl) throw usageError(`${verb}: where to?`, 'name the guests, then the URL where `xr receive` waits')
  const url = hasUrl ? words.at(-1) : undefined
  const time = (name: string, flag: string): number | undefined => {
    const text = textOption(options, name)
    return text === undefined ? undefined : positive(millisecondsOf(text, flag), flag)
  }
  const [heartbeatMs, failureMs] = [time('heartbeat', '--heartbeat'), time('failureTimeout', '--failure-timeout')]
  return {
    verb,
    strategy,
    options: given,
    doms: hasUrl ? words.slice(0, -1) : words,
    url: nobody ? undefined : url,
    compression: textOption(options, 'compress'),
    ...arbiterChoice(options, ctx),
    ...times(heartbeatMs, failureMs),
  }
}

const HEARTBEATS = 3

/** A timeout alone has as many heartbeats as there would be otherwise. */
function times(heartbeatMs: number | undefined, failureMs: number | undefined): Pick<ReplicateRequest, 'heartbeatMs' | 'failureMs'> {
  const heartbeat = heartbeatMs ?? (failureMs === undefined ? undefined : Math.max(1, Math.floor(failureMs / HEARTBEATS)))
  if (heartbeat !== undefined && failureMs !== undefined && failureMs < 2 * heartbeat) throw usageError('--failure-timeout has to be at least two heartbeats', 'leave out --heartbeat')
  return { heartbeatMs: heartbeat, failureMs }
}

function positive(ms: number, flag: string): number {
  if (ms > 0) return ms
  throw usageError(`${flag}: 0 is no time here`)
}

const isUrl = (text: string): boolean => /^[a-z][a-z0-9+.-]*:/.test(text)
