import { viewOf } from '../bytes/struct.ts'
import type { Body } from '../image/body.ts'
import type { Item, RecordItem } from '../image/item.ts'
import { walk } from '../image/walk.ts'
import type { GuestKind } from '../libxc/domain-header.ts'
import { hvmParams, type HvmParam } from '../libxc/hvm-params.ts'
import type { PageData } from '../libxc/page-data.ts'
import { XC } from '../libxc/record-types.ts'
import { XL2 } from '../libxl/record-types.ts'
import { measure, type Extent } from './extent.ts'
import { readerOf, type ImageBytes, type Place } from './image-bytes.ts'
import { PageIndex } from './page-index.ts'
import { isHvmParam } from './refusal.ts'

/** A record by its type and where its body is. */
export interface RecordPlace {
  readonly type: number
  readonly body: Place
}

/** Headers as they stand in the image; those of layers it does not have are undefined. */
export interface ImageHeaders {
  readonly xl: Uint8Array | undefined
  /** The `xl` file's optional block. */
  readonly block: Uint8Array | undefined
  readonly libxl: Uint8Array | undefined
  readonly image: Uint8Array
  readonly domain: Uint8Array
}

/** The records of one vCPU of a PV guest by type. */
export type VcpuRecords = ReadonlyMap<number, Place>

/** What a restorer would have at the end of an image: the last of everything, as places in the image. */
export interface Snapshot {
  readonly extent: Extent
  readonly headers: ImageHeaders
  readonly guest: GuestKind
  /** Version of the libxc image. */
  readonly version: number
  /** What comes before STATIC_DATA_END, in order, without it. */
  readonly staticData: readonly RecordPlace[]
  readonly p2mFrames: readonly Place[]
  readonly pages: PageIndex
  readonly tsc: Place | undefined
  readonly sharedInfo: Place | undefined
  /** By vCPU number, ascending. */
  readonly vcpus: ReadonlyMap<number, VcpuRecords>
  readonly hvmContext: Place | undefined
  /** Last value of each HVM parameter, in order of first appearance. */
  readonly params: readonly HvmParam[]
  /** The parameters came before the last page contents, so restoring must not clear pages after filling them. */
  readonly paramsFirst: boolean
  readonly emulatorXenstore: Place | undefined
  readonly emulatorContext: Place | undefined
  /** Records that count, by name. */
  readonly counts: ReadonlyMap<string, number>
}

interface Draft {
  headers: { xl?: Uint8Array; block?: Uint8Array; libxl?: Uint8Array; image: Uint8Array; domain: Uint8Array }
  staticOver: boolean
  verifying: boolean
  readonly staticData: RecordPlace[]
  readonly p2mFrames: Place[]
  readonly pages: PageIndex
  readonly one: Map<number, Place>
  readonly vcpus: Map<number, Map<number, Place>>
  readonly params: Map<bigint, HvmParam>
  paramsFirst: boolean
  readonly emulator: Map<number, Place>
  readonly counts: Map<string, number>
}

/** Called now and then with how far the work has come, in bytes of `total`. */
export type OnProgress = (done: number, total: number) => void

/**
 * Reads an image's records in two passes: what counts, then what it holds. Page contents are passed over.
 *
 * @throws FormatError FMT_NO_STATE | FMT_LEGACY | FMT_PFN_RANGE
 */
export async function readSnapshot(image: ImageBytes, onProgress: OnProgress = () => undefined): Promise<Snapshot> {
  const extent = await measure(image, (offset) => onProgress(offset, 2 * image.size))
  const draft = newDraft()
  for await (const item of walk(readerOf(image))) {
    if (item.kind === 'stop' || item.offset >= extent.until) break
    onProgress(image.size + item.offset, 2 * image.size)
    await note(draft, item)
  }
  return finish(draft, extent)
}

const newDraft = (): Draft => ({
  headers: { image: new Uint8Array(24), domain: new Uint8Array(16) },
  staticOver: false,
  verifying: false,
  staticData: [],
  p2mFrames: [],
  pages: new PageIndex(),
  one: new Map(),
  vcpus: new Map(),
  params: new Map(),
  paramsFirst: false,
  emulator: new Map(),
  counts: new Map(),
})

const headerKeys = { 'xl-header': 'xl', 'xl-block': 'block', 'libxl-header': 'libxl', 'image-header': 'image', 'domain-header': 'domain' } as const

async function note(draft: Draft, item: Exclude<Item, { kind: 'stop' }>): Promise<void> {
  if (item.kind === 'record') return noteRecord(draft, item)
  if (item.kind !== 'padding' && item.kind !== 'legacy') draft.headers[headerKeys[item.kind]] = item.bytes
}

async function noteRecord(draft: Draft, record: RecordItem): Promise<void> {
  const { layer, type, name = `0x${type.toString(16)}` } = record
  draft.counts.set(name, (draft.counts.get(name) ?? 0) + 1)
  const body: Place = { at: record.body.offset, length: record.length }
  if (record.pages !== undefined) notePages(draft, record.pages, record.body)
  else if (layer === 'libxc') await noteLibxc(draft, record, body)
  else if (type === XL2.EMULATOR_XENSTORE_DATA || type === XL2.EMULATOR_CONTEXT) draft.emulator.set(type, body)
}

async function noteLibxc(draft: Draft, record: RecordItem, body: Place): Promise<void> {
  switch (record.type) {
    case XC.STATIC_DATA_END:
      draft.staticOver = true
      return
    case XC.X86_PV_INFO:
    case XC.X86_CPUID_POLICY:
    case XC.X86_MSR_POLICY:
      // Late ones are stored and never looked at, so they are left out.
      if (!draft.staticOver) draft.staticData.push({ type: record.type, body })
      return
    case XC.X86_PV_P2M_FRAMES:
      draft.staticOver = true
      draft.p2mFrames.push(body)
      return
    case XC.VERIFY:
      draft.verifying = true
      return
    case XC.HVM_PARAMS:
      return noteParams(draft, record)
    case XC.SHARED_INFO:
    case XC.X86_TSC_INFO:
    case XC.HVM_CONTEXT:
      draft.one.set(record.type, body)
      return
    case XC.X86_PV_VCPU_BASIC:
    case XC.X86_PV_VCPU_EXTENDED:
    case XC.X86_PV_VCPU_XSAVE:
    case XC.X86_PV_VCPU_MSRS:
      return noteVcpu(draft, record, body)
  }
}

/** @param body the entries have been taken out of it already. */
function notePages(draft: Draft, pages: PageData, body: Body): void {
  draft.staticOver = true
  draft.paramsFirst = draft.params.size > 0
  draft.pages.note(pages, body.offset + body.length - body.left, draft.verifying ? 'verify' : 'copy')
}

async function noteParams(draft: Draft, record: RecordItem): Promise<void> {
  draft.paramsFirst = false
  for (const param of hvmParams.decode(await record.body.all())) if (isHvmParam(param.index)) draft.params.set(param.index, param)
}

async function noteVcpu(draft: Draft, record: RecordItem, body: Place): Promise<void> {
  if (record.length === 8) return // says nothing; restorers pass over it
  const id = viewOf(await record.body.all()).getUint32(0, true)
  const records = draft.vcpus.get(id) ?? new Map<number, Place>()
  draft.vcpus.set(id, records.set(record.type, body))
}

function finish({ headers, ...draft }: Draft, extent: Extent): Snapshot {
  const { xl, block, libxl, image, domain } = headers
  return {
    extent,
    headers: { xl, block, libxl, image, domain },
    guest: viewOf(domain).getUint32(0, true) === 1 ? 'pv' : 'hvm',
    version: viewOf(image).getUint32(12),
    staticData: draft.staticData,
    p2mFrames: draft.p2mFrames,
    pages: draft.pages,
    tsc: draft.one.get(XC.X86_TSC_INFO),
    sharedInfo: draft.one.get(XC.SHARED_INFO),
    vcpus: new Map([...draft.vcpus].sort(([a], [b]) => a - b)),
    hvmContext: draft.one.get(XC.HVM_CONTEXT),
    params: [...draft.params.values()],
    paramsFirst: draft.paramsFirst,
    emulatorXenstore: draft.emulator.get(XL2.EMULATOR_XENSTORE_DATA),
    emulatorContext: draft.emulator.get(XL2.EMULATOR_CONTEXT),
    counts: draft.counts,
  }
}
