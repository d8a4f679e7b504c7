import { isEnd, isSharedEffect, needsPeer, type Move, type Role } from '@xen-replication/plugin-api'

/** A line of a table. */
export interface Line {
  readonly state: string
  readonly event: string
  readonly move: Move<string, string>
}

/** All lines of a table. */
export function linesOf({ table }: Role): Line[] {
  return Object.entries(table).flatMap(([state, row]) => Object.entries(row).flatMap(([event, move]) => (move === undefined ? [] : [{ state, event, move }])))
}

/** States that can come after `from`, itself included; lines may be left out. */
export function reachable(role: Role, from: string, keep: (line: Line) => boolean = () => true): Set<string> {
  const lines = linesOf(role).filter(keep)
  const found = new Set([from])
  for (const state of found) for (const line of lines) if (line.state === state) found.add(line.move.to)
  return found
}

/** States that a move leads to while its effects need the peer: the link may be lost there. */
export function exposed(role: Role, own: (effect: string) => boolean): Set<string> {
  return new Set(linesOf(role).filter(({ move }) => move.run.some((effect) => needsPeer(effect) || own(effect))).map(({ move }) => move.to))
}

/** Effects that the strategy has to perform itself. */
export function ownEffects(role: Role): Set<string> {
  return new Set(linesOf(role).flatMap(({ move }) => move.run.filter((effect) => !isSharedEffect(effect))))
}

export function ends(role: Role): string[] {
  return Object.keys(role.table).filter((state) => isEnd(role.table, state))
}

/** Effects that let a guest run at this side when the other may not know it: they need the arbiter's word, or the operator's. */
export const TAKING_OVER = ['take-over']
