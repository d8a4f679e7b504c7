import type { Finding } from './finding.ts'
import { rules, verdictsOf, type RuleCode } from './table.ts'

/** Findings of one rule that are listed; further ones only count. */
const LISTED_PER_RULE = 100

/** Where a fault is. */
export interface Place {
  readonly offset: number
  /** Record index; left out for headers. */
  readonly record?: number
}

/** Notes one fault, at the record's head unless another offset is given. */
export type Report = (code: RuleCode, detail?: string, offset?: number) => void

/** Collects what is found, and knows which of it the restorer would ever act on. */
export class Findings {
  readonly #kept: Finding[] = []
  readonly #seen = new Map<RuleCode, number>()
  #held: Finding[] | undefined
  #suppressed = 0
  #restored = false

  get suppressed(): number {
    return this.#suppressed
  }

  /** What was found, but in a checkpoint that is still being buffered. */
  get list(): readonly Finding[] {
    return this.#kept
  }

  add(code: RuleCode, { offset, record }: Place, detail?: string): void {
    const { layer, judges, says, hint } = rules[code]
    const message = detail === undefined ? says : `${says}: ${detail}`
    this.#put({ code, severity: severityOf(judges), offset, record, layer, message, hint, ...verdictsOf(judges) })
  }

  /** Takes over findings of another table of rules. */
  addAll(findings: readonly Finding[], suppressed: number): void {
    this.#kept.push(...findings)
    this.#suppressed += suppressed
  }

  /** A `Report` for faults of one record. */
  at(offset: number, record?: number): Report {
    return (code, detail, from = offset) => this.add(code, record === undefined ? { offset: from } : { offset: from, record }, detail)
  }

  /** From now on a checkpoint is being buffered: the restorer looks at its records only once it is complete. */
  hold(): void {
    this.commit()
    this.#held = []
  }

  /** The buffered checkpoint was complete and has been applied. */
  commit(): void {
    this.#kept.push(...(this.#held ?? []))
    this.#held = undefined
  }

  /** The stream ended within the buffered checkpoint: the restorer drops it unread. */
  drop(): void {
    this.#held = this.#held?.map((finding) => ({ ...finding, xen: 'accept', message: `${finding.message} (in a checkpoint that is dropped)` }))
    this.commit()
  }

  /** The restorer is content and reads no further: it minds nothing that comes from now on. */
  restorerLeaves(): void {
    this.drop()
    this.#restored = true
  }

  #put(found: Finding): void {
    const finding: Finding = this.#restored ? { ...found, xen: 'accept' } : found
    const code = finding.code as RuleCode
    const seen = (this.#seen.get(code) ?? 0) + 1
    this.#seen.set(code, seen)
    if (seen > LISTED_PER_RULE) this.#suppressed++
    else (this.#held ?? this.#kept).push(finding)
  }
}

function severityOf(judges: string): Finding['severity'] {
  if (judges.startsWith('R') || judges[1] === 'R') return 'error'
  return judges === '---' ? 'note' : 'warning'
}
