import type { AbortSignalLike } from '@xen-replication/hypervisor'
import { isLinkLost } from '../link-error.ts'
import { ReplError } from './repl-error.ts'

/** Where an event leads, and what is done on the way, in order. */
export interface Move<S extends string, X extends string> {
  readonly to: S
  readonly run: readonly X[]
}

/** State, event, move. A state without rows is an end. */
export type Table<S extends string, E extends string, X extends string> = {
  readonly [state in S]: { readonly [event in E]?: Move<S, X> }
}

/** A row's right side: `go('resumed', 'preresume', 'resume')`. */
export function go<const S extends string, const X extends string>(to: S, ...run: readonly X[]): Move<S, X> {
  return { to, run }
}

/** Nothing happens after this state. */
export function isEnd(table: Table<string, string, string>, state: string): boolean {
  return Object.keys(rowsOf(table, state)).length === 0
}

/**
 * The answer of a table. Names that are not rows of it, those that every object has included, are refused: peers choose events.
 *
 * @throws ReplError REPL_UNEXPECTED_EVENT
 */
export function step<S extends string, E extends string, X extends string>(table: Table<S, E, X>, state: S, event: E): Move<S, X> {
  const row: Table<S, E, X>[S] = rowsOf(table, state)
  const move = Object.hasOwn(row, event) ? row[event] : undefined
  if (move === undefined) {
    const known = Object.keys(row)
    throw new ReplError('REPL_UNEXPECTED_EVENT', `'${event}' is not allowed in state '${state}'`, {
      hint: known.length === 0 ? 'the state is an end' : `allowed: ${known.join(', ')}`,
    })
  }
  return move
}

/** How a table is driven. */
export interface Drive<S extends string, E extends string, X extends string> {
  readonly start: S
  readonly begin: E
  /** The event that stands for a lost link. */
  readonly lost: E
  /**
   * Does what an effect says. When it returns an event, that is what happens next: effects after it in the same move are left out.
   */
  perform(effect: X): Promise<E | undefined>
  /** Told of every move before its effects run. */
  onMove?(from: S, event: E, to: S): void
  /** Looked at before every move. */
  readonly signal?: AbortSignalLike
}

/**
 * Goes through a table from its start to an end. LINK_LOST and LINK_TIMEOUT out of an effect become the event for a lost link; any other error
 * ends the drive, as does a link lost where the table has no answer to it.
 *
 * @returns the end state.
 * @throws ReplError REPL_UNEXPECTED_EVENT, REPL_NO_EVENT; the reason of `signal`; whatever an effect throws
 */
export async function drive<S extends string, E extends string, X extends string>(table: Table<S, E, X>, run: Drive<S, E, X>): Promise<S> {
  let state = run.start
  let event = run.begin
  while (!isEnd(table, state)) {
    if (run.signal?.aborted === true) throw run.signal.reason
    const move = step(table, state, event)
    run.onMove?.(state, event, move.to)
    state = move.to
    const next = await outcome(table, move, run)
    if (next === undefined) {
      if (isEnd(table, state)) break
      throw new ReplError('REPL_NO_EVENT', `nothing says how to go on in state '${state}' after '${event}'`, {
        hint: 'the last effect of a move to a state with rows has to yield an event',
      })
    }
    event = next
  }
  return state
}

async function outcome<S extends string, E extends string, X extends string>(
  table: Table<S, E, X>, move: Move<S, X>, run: Drive<S, E, X>,
): Promise<E | undefined> {
  try {
    for (const effect of move.run) {
      const event = await run.perform(effect)
      if (event !== undefined) return event
    }
    return undefined
  } catch (error) {
    if (!isLinkLost(error) || !Object.hasOwn(rowsOf(table, move.to), run.lost)) throw error
    return run.lost
  }
}

function rowsOf<S extends string, E extends string, X extends string>(table: Table<S, E, X>, state: S): Table<S, E, X>[S] {
  if (!Object.hasOwn(table, state)) throw new ReplError('REPL_UNEXPECTED_EVENT', `there is no state '${state}'`)
  return table[state]
}
