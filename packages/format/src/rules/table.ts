import { libxcRows } from './rows-libxc.ts'
import { libxlRows } from './rows-libxl.ts'
import { xlRows } from './rows-xl.ts'
import type { Judges, Rule } from './rule.ts'
import type { Verdicts } from './verdict.ts'

/** Every rule there is, by code. */
export const rules = { ...xlRows, ...libxlRows, ...libxcRows } as const satisfies Record<string, Rule>

export type RuleCode = keyof typeof rules

/** The verdicts a rule stands for. */
export function verdictsOf(judges: Judges): Verdicts {
  const of = (at: number): 'accept' | 'reject' => (judges[at] === 'R' ? 'reject' : 'accept')
  return { strict: of(0), xen: of(1), verifier: of(2) }
}
