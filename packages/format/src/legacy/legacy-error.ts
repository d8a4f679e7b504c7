import { FormatError } from '../format-error.ts'
import { LEGACY_RULES, type LegacyRuleCode } from './rules.ts'

/** A fault of a legacy stream; `code` is the one that its rule names. */
export class LegacyError extends FormatError {
  readonly rule: LegacyRuleCode
  /** The fault in words, without the offset. */
  readonly what: string

  /** @param detail what was found, added to the sentence of the rule. */
  constructor(rule: LegacyRuleCode, offset: number, detail?: string) {
    const { says, hint, fails } = LEGACY_RULES[rule]
    const what = detail === undefined ? says : `${says}: ${detail}`
    super(fails, what, { offset, hint })
    this.rule = rule
    this.what = what
  }
}

/** Told of each fault; may throw to end the matter. */
export type ReportLegacy = (rule: LegacyRuleCode, offset: number, detail?: string) => void
