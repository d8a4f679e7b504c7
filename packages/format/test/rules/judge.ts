import { ByteReader } from '../../src/bytes/byte-reader.ts'
import { sourceOfBytes } from '../../src/bytes/byte-source.ts'
import type { Verification, VerifyOptions } from '../../src/rules/finding.ts'
import type { RuleCode } from '../../src/rules/table.ts'
import { verify } from '../../src/rules/verify.ts'
import { build, type Layout } from './image-builder.ts'

/** Verifies bytes in memory. */
export const judge = (bytes: Uint8Array, options: VerifyOptions = {}): Promise<Verification> => verify(new ByteReader(sourceOfBytes(bytes)), options)
/** Verifies a stream made of pieces. */
export const judgeLayout = (layout: Layout, options: VerifyOptions = {}): Promise<Verification> => judge(build(layout).bytes, options)
export const codesOf = ({ findings }: Verification): readonly string[] => findings.map(({ code }) => code)

/** A stream with one fault. */
export interface Case {
  readonly stream: Layout
  readonly options?: VerifyOptions
  /** Further findings that this fault cannot come without. */
  readonly also?: readonly RuleCode[]
}
