import { describe, expect, it } from 'vitest'
import type { Verdicts } from '../../src/rules/verdict.ts'
import { rules, verdictsOf, type RuleCode } from '../../src/rules/table.ts'
import { libxcCases } from './cases-libxc.ts'
import { libxlCases } from './cases-libxl.ts'
import { pvCases } from './cases-pv.ts'
import { xlCases } from './cases-xl.ts'
import { build, flat, hvm, libxl, pv, xl } from './image-builder.ts'
import { codesOf, judge, judgeLayout, type Case } from './judge.ts'

const cases: Readonly<Record<string, Case>> = { ...xlCases, ...libxlCases, ...libxcCases, ...pvCases }

/** What the judges say of a stream with these faults: each rejects what any of its rows rejects. */
function together(codes: readonly RuleCode[]): Verdicts {
  const rows = codes.map((code) => verdictsOf(rules[code].judges))
  const of = (who: keyof Verdicts): 'accept' | 'reject' => (rows.some((row) => row[who] === 'reject') ? 'reject' : 'accept')
  return { strict: of('strict'), xen: of('xen'), verifier: of('verifier') }
}

it('every rule of the table has a stream that breaks it', () => {
  expect(Object.keys(cases).sort()).toEqual(Object.keys(rules).sort())
})

describe('a stream with one fault has one finding, in its place, and the verdicts of its rule', () => {
  for (const [name, { stream, options, also = [] }] of Object.entries(cases)) {
    const code = name as RuleCode
    it(`${code}: ${rules[code].says}`, async () => {
      const { bytes, fault } = build(stream)
      const { findings, verdict } = await judge(bytes, options)
      expect(findings.map((finding) => finding.code).sort()).toEqual([code, ...also].sort())
      expect(findings.find((finding) => finding.code === code)).toMatchObject({
        offset: fault.offset,
        record: fault.record,
        layer: rules[code].layer,
        hint: rules[code].hint,
        ...verdictsOf(rules[code].judges),
      })
      expect(verdict).toEqual(together([code, ...also]))
    })
  }
})

describe('what the streams are made from has no fault', () => {
  for (const [name, layout] of Object.entries({ hvm, pv, libxl, xl, pvInLibxl: { ...libxl, image: flat(pv), emulator: [] } })) {
    it(name, async () => {
      const verification = await judgeLayout(layout)
      expect(codesOf(verification)).toEqual([])
      expect(verification.verdict).toEqual({ strict: 'accept', xen: 'accept', verifier: 'accept' })
    })
  }
})
