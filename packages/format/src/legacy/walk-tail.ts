import { PAGE_SIZE } from '../bytes/limits.ts'
import { EXTENDED_VCPU_SIZE, QEMU_SIGNATURE, QEMU_SIGNATURE_SIZE, type QemuSignature } from './chunk-types.ts'
import type { LegacyCursor } from './cursor.ts'
import { LegacyError } from './legacy-error.ts'
import { onlineVcpus, refuseCut, type LegacySteps, type VcpuStep } from './steps.ts'

/** Bytes of the head that an xsave area's announced size includes. */
const XSAVE_HEAD = 16

/** The end of a PV stream: unmapped pfns, vCPUs, shared info. */
export async function* walkPvTail(cursor: LegacyCursor): LegacySteps {
  const offset = cursor.offset
  const count = await cursor.u32()
  const pfns = cursor.words(count)
  yield { kind: 'unmapped-pfns', offset, count, pfns }
  await pfns.skip()
  refuseCut(pfns)
  for (const bitmap of cursor.online) for (const id of onlineVcpus(bitmap)) yield await readVcpu(cursor, id)
  yield { kind: 'shared-info', offset: cursor.offset, data: await cursor.reader.copy(PAGE_SIZE) }
}

async function readVcpu(cursor: LegacyCursor, id: number): Promise<VcpuStep> {
  const offset = cursor.offset
  const basic = await cursor.reader.copy(cursor.basicSize)
  const extended = cursor.hasExtended ? await cursor.reader.copy(EXTENDED_VCPU_SIZE) : undefined
  return { kind: 'vcpu', offset, id, basic, extended, xsave: await readXsave(cursor) }
}

async function readXsave(cursor: LegacyCursor): Promise<VcpuStep['xsave']> {
  if (cursor.xsaveSize === 0) return undefined
  const offset = cursor.offset
  const view = await cursor.view(16)
  const mask = view.getBigUint64(0, true)
  const size = view.getBigUint64(8, true)
  const wanted = cursor.xsaveSize - XSAVE_HEAD
  if (size !== BigInt(wanted)) throw new LegacyError('LG_XSAVE_SIZE', offset, `${size} bytes where ${wanted} were announced`)
  return { mask, data: await cursor.blob(wanted) }
}

/** The end of an HVM stream: frame numbers, context, QEMU record. */
export async function* walkHvmTail(cursor: LegacyCursor): LegacySteps {
  const offset = cursor.offset
  const view = await cursor.view(24)
  const [ioreq, bufferedIoreq, store] = [view.getBigUint64(0, true), view.getBigUint64(8, true), view.getBigUint64(16, true)]
  yield { kind: 'magic-pfns', offset, ioreq, bufferedIoreq, store }
  yield { kind: 'hvm-context', offset: cursor.offset, data: await cursor.blob(await cursor.u32()) }
  yield* walkQemu(cursor)
}

const signatures = new Set<string>(Object.values(QEMU_SIGNATURE))

async function* walkQemu(cursor: LegacyCursor): LegacySteps {
  const offset = cursor.offset
  const text = String.fromCharCode(...(await cursor.reader.take(QEMU_SIGNATURE_SIZE)))
  if (!signatures.has(text)) throw new LegacyError('LG_QEMU_SIGNATURE', offset, JSON.stringify(text))
  const signature = text as QemuSignature
  const data = signature === QEMU_SIGNATURE.TO_END ? await cursor.rest() : await cursor.blob(await cursor.u32())
  yield { kind: 'qemu', offset, signature, data }
}
