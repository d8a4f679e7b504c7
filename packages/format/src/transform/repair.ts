import { PAGE_BATCH_MAX, paddingOf } from '../bytes/limits.ts'
import { viewOf } from '../bytes/struct.ts'
import { encodeRecord, recordHead } from '../frame/encode.ts'
import { hvmParams } from '../libxc/hvm-params.ts'
import { IMAGE } from '../libxc/image-header.ts'
import { hasContent, PAGE } from '../libxc/page-data.ts'
import { pageDataHead } from '../libxc/page-data-head.ts'
import { XC } from '../libxc/record-types.ts'
import { XL2 } from '../libxl/record-types.ts'
import { bytesAt, type ImageBytes, type Place } from './image-bytes.ts'
import { contentsOf } from './page-contents.ts'
import type { PageVersion } from './page-index.ts'
import type { Snapshot } from './snapshot.ts'

/** Pieces of an image; each is valid until the next one is asked for. */
export type Pieces = Generator<Uint8Array, void, void>

/**
 * Writes a plain image that restores to what the image restores to: the same headers and static data, one version of every
 * page, the last of every other record.
 */
export function* plainImage(image: ImageBytes, snapshot: Snapshot): Pieces {
  const { headers } = snapshot
  for (const header of [headers.xl, headers.block, headers.libxl]) if (header !== undefined) yield header
  if (headers.libxl !== undefined) yield encodeRecord(XL2.LIBXC_CONTEXT)
  yield soundImageHeader(headers.image)
  yield headers.domain
  for (const { type, body } of snapshot.staticData) yield* recordAt(image, type, body)
  if (snapshot.version > 2) yield encodeRecord(XC.STATIC_DATA_END)
  for (const body of snapshot.p2mFrames) yield* recordAt(image, XC.X86_PV_P2M_FRAMES, body)
  if (snapshot.paramsFirst) yield* paramsOf(snapshot)
  yield* pagesOf(image, snapshot)
  yield* stateOf(image, snapshot)
  yield encodeRecord(XC.END)
  if (headers.libxl === undefined) return
  yield* recordAt(image, XL2.EMULATOR_XENSTORE_DATA, snapshot.emulatorXenstore)
  yield* recordAt(image, XL2.EMULATOR_CONTEXT, snapshot.emulatorContext)
  yield encodeRecord(XL2.END)
}

/** The header as it is, but for marker and id: the walk goes on when one of them is damaged, a restorer would not. */
function soundImageHeader(bytes: Uint8Array): Uint8Array {
  const header = new Uint8Array(bytes)
  viewOf(header).setBigUint64(0, IMAGE.marker)
  viewOf(header).setUint32(8, IMAGE.id)
  return header
}

/** A record with its body as it stands in the image; nothing when there is none. */
function* recordAt(image: ImageBytes, type: number, body: Place | undefined): Pieces {
  if (body === undefined) return
  yield recordHead(type, body.length)
  yield* bytesAt(image, body)
  yield new Uint8Array(paddingOf(body.length))
}

function* paramsOf({ params }: Snapshot): Pieces {
  if (params.length > 0) yield encodeRecord(XC.HVM_PARAMS, hvmParams.encode(params))
}

const vcpuOrder = [XC.X86_PV_VCPU_BASIC, XC.X86_PV_VCPU_EXTENDED, XC.X86_PV_VCPU_XSAVE, XC.X86_PV_VCPU_MSRS] as const

function* stateOf(image: ImageBytes, snapshot: Snapshot): Pieces {
  yield* recordAt(image, XC.X86_TSC_INFO, snapshot.tsc)
  yield* recordAt(image, XC.SHARED_INFO, snapshot.sharedInfo)
  for (const records of snapshot.vcpus.values()) {
    for (const type of vcpuOrder) yield* recordAt(image, type, records.get(type))
  }
  yield* recordAt(image, XC.HVM_CONTEXT, snapshot.hvmContext)
  if (!snapshot.paramsFirst) yield* paramsOf(snapshot)
}

/** The type to give a page first: the one it was filled as, or that of a page without memory. */
const filledAs = ({ held, type }: PageVersion): number => (held === PAGE.XTAB ? type : held)

/** Pages in batches as savers make them. */
function* pagesOf(image: ImageBytes, { pages, guest }: Snapshot): Pieces {
  for (const batch of batches(pages.versions())) yield* batchOf(image, batch, filledAs)
  if (guest === 'pv') for (const batch of batches(outdated(pages.versions()))) yield* batchOf(image, batch, (page) => page.type)
}

/**
 * Pages of a PV guest that were filled first and said to be something without content later. The restorer keeps the content, but
 * goes by the later type when it pins page tables; so the later entries are repeated behind the pages.
 */
function* outdated(versions: Iterable<PageVersion>): Generator<PageVersion, void, void> {
  for (const version of versions) if (version.type !== version.held && version.held !== PAGE.XTAB) yield version
}

function* batches(versions: Iterable<PageVersion>): Generator<readonly PageVersion[], void, void> {
  let batch: PageVersion[] = []
  for (const version of versions) {
    batch.push(version)
    if (batch.length < PAGE_BATCH_MAX) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

function* batchOf(image: ImageBytes, batch: readonly PageVersion[], typeOf: (page: PageVersion) => number): Pieces {
  yield pageDataHead(batch.map((page) => ({ pfn: page.pfn, type: typeOf(page) })))
  yield* contentsOf(image, batch.filter((page) => hasContent(typeOf(page))))
}
