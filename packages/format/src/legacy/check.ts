import type { ByteReader } from '../bytes/byte-reader.ts'
import { PAGE_SIZE } from '../bytes/limits.ts'
import { FormatError } from '../format-error.ts'
import type { Verdict } from '../rules/verdict.ts'
import type { LegacyGuest, LegacyWidth } from './chunk-types.ts'
import { CompressedPages } from './compressed-pages.ts'
import type { LegacyOptions } from './cursor.ts'
import { LegacyJudge } from './judge.ts'
import { LegacyError } from './legacy-error.ts'
import type { PageStore } from './page-store.ts'
import { LEGACY_RULES, refusedBy, type LegacyRuleCode, type RefusedBy } from './rules.ts'
import type { LegacyStep } from './steps.ts'
import { LegacyTally, type LegacySummary } from './summary.ts'
import { walkLegacy } from './walk.ts'

/** One fault of a legacy stream. */
export interface LegacyFinding {
  readonly code: LegacyRuleCode
  /** Bytes from the start of the stream. */
  readonly offset: number
  readonly message: string
  readonly hint: string
  readonly refusedBy: RefusedBy
}

/** Everything found in one legacy stream. Xen's verifier rejects all of them, so it has no verdict here. */
export interface LegacyCheck {
  readonly findings: readonly LegacyFinding[]
  /** Findings left out because a rule was broken more often than 100 times. */
  readonly suppressed: number
  readonly strict: Verdict
  /** Whether Xen would convert the stream and restore what comes out, as far as the stream itself can tell. */
  readonly xen: Verdict
  /** Undefined when the stream ended before it could be told. */
  readonly guest: LegacyGuest | undefined
  readonly width: LegacyWidth | undefined
  /** What it holds, as far as it was read; undefined as `guest` is. */
  readonly summary: LegacySummary | undefined
  /** The stream could be followed to its end. */
  readonly complete: boolean
  /** Bytes read. */
  readonly bytes: number
}

const SAME_RULE_MAX = 100

/** Collects findings, some of each kind. */
class Findings {
  readonly list: LegacyFinding[] = []
  readonly #counts = new Map<LegacyRuleCode, number>()
  suppressed = 0

  add(code: LegacyRuleCode, offset: number, what: string): void {
    const count = (this.#counts.get(code) ?? 0) + 1
    this.#counts.set(code, count)
    if (count > SAME_RULE_MAX) this.suppressed++
    else this.list.push({ code, offset, message: what, hint: LEGACY_RULES[code].hint, refusedBy: refusedBy(code) })
  }

  /** Takes an error that is a fault of the stream; throws any other on. */
  caught(error: unknown): void {
    if (error instanceof LegacyError) this.add(error.rule, error.offset as number, error.what)
    else if (error instanceof FormatError) this.add('LG_TRUNCATED', error.offset as number, LEGACY_RULES.LG_TRUNCATED.says)
    else throw error
  }

  refuses(who: 'strict' | 'xen'): Verdict {
    return [...this.#counts.keys()].some((code) => LEGACY_RULES[code][who] === 'reject') ? 'reject' : 'accept'
  }
}

/** Checks a legacy stream by all rules and goes on after a fault for as long as the stream can be followed. Page contents are not looked at. */
export async function checkLegacy(reader: ByteReader, options: LegacyOptions = {}): Promise<LegacyCheck> {
  const findings = new Findings()
  const judge = new LegacyJudge((rule, offset, detail) => {
    findings.add(rule, offset, new LegacyError(rule, offset, detail).what)
  })
  const compressed = new CompressionCheck(findings)
  const tally = new LegacyTally()
  let complete = false
  const start = reader.offset
  try {
    for await (const step of walkLegacy(reader, options)) {
      tally.see(step)
      judge.see(step)
      await compressed.see(step)
      complete = step.kind === 'end'
    }
  } catch (error) {
    findings.caught(error)
  }
  const { list, suppressed } = findings
  const verdicts = { strict: findings.refuses('strict'), xen: findings.refuses('xen') }
  const summary = tally.finish(reader.offset - start)
  return { findings: list, suppressed, ...verdicts, guest: summary?.guest, width: summary?.width, summary, complete, bytes: reader.offset - start }
}

const blank = new Uint8Array(PAGE_SIZE)
const anyPage: PageStore = { get: () => blank, set: () => undefined }

/** Decodes compressed pages to see that it can be done, until it cannot. */
class CompressionCheck {
  readonly #findings: Findings
  readonly #pages = new CompressedPages(anyPage)
  #broken = false

  constructor(findings: Findings) {
    this.#findings = findings
  }

  async see(step: LegacyStep): Promise<void> {
    if (this.#broken) return
    try {
      await this.#take(step)
    } catch (error) {
      this.#broken = true
      this.#findings.caught(error)
    }
  }

  async #take(step: LegacyStep): Promise<void> {
    if (step.kind === 'batch' && step.contents === 'compressed') this.#pages.announce(step.entries, step.offset)
    if (step.kind === 'compressed-data') for await (const batch of this.#pages.feed(step.data)) void batch
    if (step.kind === 'end-of-chunks') {
      for (const batch of this.#pages.complete()) void batch
      this.#pages.finish(step.offset)
    }
  }
}
