import { describe, expect, it } from 'vitest'
import type { Verification } from '../../src/rules/finding.ts'
import { codesOf, judge } from '../rules/judge.ts'
import { vector } from '../vectors.ts'
import { headerFields, type HeaderField } from './header-fields.ts'
import { asTable, undetectable, type Undetectable } from './undetectable.ts'

const streams = [
  'ok_xlfile_tiny', 'ok_xl2_tiny', 'ok_xl2_hvm_xenstore', 'ok_xl2_remus', 'ok_xc_v3_hvm', 'ok_xc_v2_hvm', 'ok_xc_v3_hvm_types', 'ok_xc_v3_hvm_verify',
  'ok_xc_v3_pv64', 'ok_xc_v3_pv32',
] as const

/** Bits that the strict verdict lets pass, by field and by what is said of them all the same. */
type Missed = Map<string, Set<number>>

async function flipAll(name: string, missed: Missed): Promise<void> {
  const bytes = vector(name)
  const before = await judge(bytes)
  for (const field of await headerFields(bytes)) {
    for (let bit = 0; bit < 8 * field.size; bit++) {
      flip(bytes, field, bit)
      const after = await judge(bytes)
      if (after.verdict.strict === 'accept') {
        const key = `${field.name}|${newCodes(before, after)}`
        missed.set(key, (missed.get(key) ?? new Set()).add(bit))
      }
      flip(bytes, field, bit)
    }
  }
}

/** Bit 0 is the lowest of the field's value. */
function flip(bytes: Uint8Array, { offset, size, bigEndian }: HeaderField, bit: number): void {
  const byte = bit >>> 3
  const at = offset + (bigEndian ? size - 1 - byte : byte)
  bytes[at] = (bytes[at] as number) ^ (1 << (bit & 7))
}

function newCodes(before: Verification, after: Verification): string {
  const known = new Set(codesOf(before))
  return [...new Set(codesOf(after))].filter((code) => !known.has(code)).join(', ')
}

/** "0-31, 40" */
function ranges(bits: ReadonlySet<number>): string {
  const sorted = [...bits].sort((a, b) => a - b)
  const starts = sorted.filter((bit) => !bits.has(bit - 1))
  const ends = sorted.filter((bit) => !bits.has(bit + 1))
  return starts.map((start, i) => (start === ends[i] ? `${start}` : `${start}-${ends[i]}`)).join(', ')
}

describe('a single flipped bit in a header, a record head, a sub-header or padding', () => {
  const missed: Missed = new Map()

  it.each(streams)('is tried at every place of %s', { timeout: 60_000 }, (name) => flipAll(name, missed))

  it('is refused by the strict verdict, or is on the list', () => {
    const found = [...missed].map(([key, bits]) => `${key}|${ranges(bits)}`)
    expect(found.sort()).toEqual(undetectable.map(({ field, says, bits }: Undetectable) => `${field}|${says}|${bits}`).sort())
  })

  it('is on the list for a reason that docs/undetected.md gives', async () => {
    await expect(asTable(undetectable)).toMatchFileSnapshot('../../../../docs/undetected.md')
  })
})
