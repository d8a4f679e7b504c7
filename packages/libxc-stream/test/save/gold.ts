import type { MachineMap, PvVcpu } from '@xen-replication/hypervisor'
import { goldTrace, vector } from '../gold-vectors.ts'
import { ScriptedGuest, type DirtyStep, type Script } from './scripted-guest.ts'

const PAGE = 4096

/** A record of a stream, with its place. */
export interface Rec {
  readonly type: number
  readonly offset: number
  readonly body: Uint8Array
}

/** All records behind the two headers. */
export function recordsOf(stream: Uint8Array): Rec[] {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.length)
  const records: Rec[] = []
  for (let at = 40; at < stream.length; ) {
    const length = view.getUint32(at + 4, true)
    records.push({ type: view.getUint32(at, true), offset: at, body: stream.slice(at + 8, at + 8 + length) })
    at += 8 + Math.ceil(length / 8) * 8
  }
  return records
}

/** An entry of a PAGE_DATA body; `page` where it has content. */
export interface Entry {
  readonly pfn: number
  readonly type: number
  readonly page: Uint8Array | undefined
}

export function entriesOf({ body }: Rec): Entry[] {
  const view = new DataView(body.buffer, body.byteOffset, body.length)
  const count = view.getUint32(0, true)
  let at = 8 + 8 * count
  return Array.from({ length: count }, (_, i) => {
    const type = view.getUint32(12 + 8 * i, true) >>> 28
    const has = type < 13
    const entry = { pfn: view.getUint32(8 + 8 * i, true), type, page: has ? body.slice(at, at + PAGE) : undefined }
    if (has) at += PAGE
    return entry
  })
}

const bodyOf = (records: readonly Rec[], type: number): Uint8Array => records.find((r) => r.type === type)?.body ?? new Uint8Array(0)
const words = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

function facts(stream: Uint8Array, records: readonly Rec[]): Pick<Script, 'xen' | 'tsc' | 'policy'> {
  const tsc = words(bodyOf(records, 0x08))
  return {
    xen: { major: words(stream).getUint32(32, true), minor: words(stream).getUint32(36, true) },
    tsc: { mode: tsc.getUint32(0, true), khz: tsc.getUint32(4, true), nsec: tsc.getBigUint64(8, true), incarnation: tsc.getUint32(16, true) },
    policy: { cpuid: bodyOf(records, 0x11), msr: bodyOf(records, 0x12) },
  }
}

/** Stream and trace of Xen's own saver, and the guest it must have seen. */
export interface Gold {
  readonly stream: Uint8Array
  readonly trace: readonly (readonly [number, string])[]
  guest(change?: Partial<Script>): ScriptedGuest
}

/** An HVM guest whose memory changes, between passes, to what the next pass of the stream holds. */
export function goldHvm(name: string): Gold {
  const stream = vector(name)
  const records = recordsOf(stream)
  const [first, ...later] = records.filter((r) => r.type === 1).map(entriesOf)
  const params = words(bodyOf(records, 0x0a))
  const guest = (change: Partial<Script> = {}): ScriptedGuest => {
    const pages = new Map<number, Uint8Array>()
    const apply = (entries: readonly Entry[]): void => entries.forEach(({ pfn, page }) => page && pages.set(pfn, page.slice()))
    apply(first as Entry[])
    const dirty: DirtyStep[] = later.map((entries) => ({ pages: entries.map(({ pfn }) => pfn), then: () => apply(entries) }))
    return new ScriptedGuest({
      kind: 'hvm',
      ...facts(stream, records),
      pages,
      frames: 64,
      types: new Map([[0x30, 13]]),
      dirty,
      hvmContext: bodyOf(records, 0x09),
      hvmParams: new Map(Array.from({ length: params.getUint32(0, true) }, (_, i) => [Number(params.getBigUint64(8 + 16 * i, true)), params.getBigUint64(16 + 16 * i, true)])),
      deviceModel: 'yes',
      ...change,
    })
  }
  return { stream, trace: goldTrace(name), guest }
}

/** First mfn of the guest; pfn n is in frame FIRST_MFN + n. */
export const FIRST_MFN = 0x1000
const TOP_LIST = 0x501
const MIDDLE_LIST = 0x502
const SHARED_INFO = 0x503
const COMPAT_M2P = 0x700
const MAX_MFN = 0x1fff

/** A PV guest with a p2m tree: page tables and registers hold machine frames, and Xen's slots in its tables are in use. */
export function goldPv(name: string, width: 4 | 8): Gold {
  const stream = vector(name)
  const records = recordsOf(stream)
  const entries = entriesOf(records.find((r) => r.type === 1) as Rec)
  const guest = (change: Partial<Script> = {}): ScriptedGuest => {
    const pages = new Map<number, Uint8Array>()
    const types = new Map<number, number>()
    for (const { pfn, type, page } of entries) {
      if (page === undefined) continue
      const level = type & 7
      pages.set(FIRST_MFN + pfn, level === 0 ? page.slice() : machineTable(page.slice(), level, width))
      types.set(FIRST_MFN + pfn, type)
    }
    pages.set(TOP_LIST, listPage(width, MIDDLE_LIST))
    pages.set(MIDDLE_LIST, listPage(width, FIRST_MFN + 3))
    pages.set(SHARED_INFO, bodyOf(records, 0x07).slice())
    return new ScriptedGuest({
      kind: 'pv',
      width,
      ...facts(stream, records),
      pages,
      types,
      machine: machineOf(width),
      sharedInfoFrame: SHARED_INFO,
      vcpus: [vcpuOf(records, width)],
      ...change,
    })
  }
  return { stream, trace: goldTrace(name), guest }
}

/** The guest of the gold PV streams has 12 pfns; pfn 10 is ballooned out. */
const machineOf = (width: 4 | 8): MachineMap => ({
  maxMfn: MAX_MFN,
  pfn: (mfn) => (mfn >= FIRST_MFN && mfn < FIRST_MFN + 12 ? mfn - FIRST_MFN : 0xffff_ffff),
  compatFirstMfn: width === 4 ? COMPAT_M2P : undefined,
})

function listPage(width: 4 | 8, ...frames: readonly number[]): Uint8Array {
  const page = new Uint8Array(PAGE).fill(0xff)
  frames.forEach((frame, i) => (width === 8 ? words(page).setBigUint64(8 * i, BigInt(frame), true) : words(page).setUint32(4 * i, frame, true)))
  return page
}

/** The table as it is in the guest: machine frames, and Xen's own entries where the image has zeros. */
function machineTable(page: Uint8Array, level: number, width: 4 | 8): Uint8Array {
  const view = words(page)
  for (let i = 0; i < 512; i++) {
    const entry = view.getBigUint64(8 * i, true)
    if ((entry & 1n) !== 0n) view.setBigUint64(8 * i, entry + (BigInt(FIRST_MFN) << 12n), true)
  }
  const own = width === 8 ? (level === 4 ? [256, 271] : []) : level === 3 ? [4, 511] : level === 2 ? [428, 511] : []
  const [first, last] = own
  for (let i = first ?? 1; i <= (last ?? 0); i++) view.setBigUint64(8 * i, (BigInt(COMPAT_M2P + i - (first as number)) << 12n) | 0x63n, true)
  return page
}

function vcpuOf(records: readonly Rec[], width: 4 | 8): PvVcpu {
  const part = (type: number): Uint8Array => bodyOf(records, type).slice(8)
  const context = part(0x04)
  const view = words(context)
  if (width === 8) {
    view.setBigUint64(616, BigInt(FIRST_MFN), true)
    view.setBigUint64(4832, BigInt(FIRST_MFN + 9), true)
    view.setBigUint64(4992, BigInt(FIRST_MFN + 4) << 12n, true)
    view.setBigUint64(5008, BigInt(FIRST_MFN + 4) << 12n, true)
  } else {
    view.setUint32(524, FIRST_MFN, true)
    view.setUint32(2728, (FIRST_MFN + 4) << 12, true)
  }
  return { context, extended: part(0x05), xsave: part(0x06), msrs: part(0x0c) }
}
