import type { ByteReader } from '../bytes/byte-reader.ts'
import { checkLegacy, type LegacyCheck } from '../legacy/check.ts'
import { LEGACY_RULES } from '../legacy/rules.ts'
import type { Finding } from './finding.ts'

/** A legacy payload, judged by its own rules. That Xen's verifier refuses all of them is a rule of the layer around it. */
export interface JudgedLegacy extends Omit<LegacyCheck, 'findings'> {
  readonly findings: readonly Finding[]
}

export async function judgeLegacy(reader: ByteReader, guest: 'pv' | 'hvm' | undefined): Promise<JudgedLegacy> {
  const check = await checkLegacy(reader, guest === undefined ? {} : { guest })
  return { ...check, findings: check.findings.map(({ code, offset, message, hint }) => ({ code, ...verdictsOf(code), offset, record: undefined, layer: 'legacy', message, hint })) }
}

function verdictsOf(code: keyof typeof LEGACY_RULES): Pick<Finding, 'severity' | 'strict' | 'xen' | 'verifier'> {
  const { strict, xen } = LEGACY_RULES[code]
  return { severity: 'error', strict, xen, verifier: 'accept' } // every legacy rule has somebody who refuses
}
