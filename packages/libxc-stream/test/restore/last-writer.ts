import { createHash } from 'node:crypto'
import { ByteReader, hasContent, PAGE, sourceOfChunks, viewOf, walk, XC, XL2, type RecordItem } from '@xen-replication/format'

/** What an image says of a page: the type it came with last, and a hash of its last content. */
interface LastPage {
  readonly type: number
  readonly hash: string | undefined
}

/** What a guest should be when the image is read to its end, or to its last whole checkpoint. */
export interface Expected {
  readonly pages: ReadonlyMap<number, LastPage>
  /** Body of the last record of each type; of vCPU records the type is followed by the vCPU's number. */
  readonly last: ReadonlyMap<string, Uint8Array>
  readonly checkpoints: number
}

export const hashOf = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('base64')

const VCPU_RECORDS: readonly number[] = [XC.X86_PV_VCPU_BASIC, XC.X86_PV_VCPU_EXTENDED, XC.X86_PV_VCPU_XSAVE, XC.X86_PV_VCPU_MSRS]

interface Draft {
  pages: Map<number, LastPage>
  last: Map<string, Uint8Array>
}

/** Finds out what an image holds, by a walk of its own. */
export async function lastWriter(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Expected> {
  const whole: Draft = { pages: new Map(), last: new Map() }
  const since: Draft = { pages: new Map(), last: new Map() }
  let checkpoints = 0
  for await (const item of walk(new ByteReader(sourceOfChunks(chunks)))) {
    if (item.kind !== 'record') continue
    await note(since, item)
    const complete = item.layer === 'libxl' ? item.type === XL2.CHECKPOINT_END || (item.type === XL2.END && checkpoints === 0) : item.type === XC.END && checkpoints === 0
    if (!complete) continue
    if (item.layer === 'libxl' && item.type === XL2.CHECKPOINT_END) checkpoints++
    for (const [pfn, page] of since.pages) whole.pages.set(pfn, { type: page.type, hash: page.hash ?? whole.pages.get(pfn)?.hash })
    for (const [key, body] of since.last) whole.last.set(key, body)
    since.pages.clear()
    since.last.clear()
  }
  return { ...whole, checkpoints }
}

async function note({ pages, last }: Draft, record: RecordItem): Promise<void> {
  const { layer, type, body } = record
  if (layer === 'libxc' && record.pages !== undefined) {
    for (let i = 0; i < record.pages.count; i++) {
      const kind = record.pages.type(i)
      const pfn = record.pages.pfn(i)
      const before = pages.get(pfn)
      if (hasContent(kind)) pages.set(pfn, { type: kind, hash: hashOf(await body.upTo(4096)) })
      else if (kind !== PAGE.XTAB || before !== undefined) pages.set(pfn, { type: kind, hash: before?.hash })
    }
    return
  }
  const bytes = await body.all()
  const vcpu = layer === 'libxc' && VCPU_RECORDS.includes(type) ? ` ${viewOf(bytes).getUint32(0, true)}` : ''
  last.set(`${layer} ${type}${vcpu}`, bytes)
}
