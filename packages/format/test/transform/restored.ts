import { walk } from '../../src/image/walk.ts'
import { hasContent, PAGE } from '../../src/libxc/page-data.ts'
import { XC } from '../../src/libxc/record-types.ts'
import { readerOf, type ImageBytes } from '../../src/transform/image-bytes.ts'

/** A guest as a restorer leaves it: what each pfn holds (first byte of its page), its type where that matters, the last of other records. */
export interface Restored {
  readonly pages: Readonly<Record<number, { readonly populated: boolean; readonly type: number | undefined; readonly fill: number | undefined }>>
  readonly records: Readonly<Record<string, string>>
}

/**
 * What Xen's restorer makes of an image, in few lines: it applies what came before the first checkpoint at once, keeps later
 * records back until their checkpoint is complete, and drops them otherwise.
 */
export async function restored(image: ImageBytes): Promise<Restored> {
  let guest = 'hvm'
  let verifying = false
  let held: (() => void)[] | undefined
  const pages: Record<number, { populated: boolean; type: number | undefined; fill: number | undefined }> = {}
  const records: Record<string, string> = {}
  const apply = (step: () => void): void => {
    if (held === undefined) step()
    else held.push(step)
  }
  const put = (pfn: number, type: number, fill: number | undefined): void => {
    const before = pages[pfn]
    const populated = before?.populated === true || (type !== PAGE.XTAB && type !== PAGE.BROKEN)
    const kept = verifying || fill === undefined ? (before?.fill ?? (populated ? 0 : undefined)) : fill
    pages[pfn] = { populated, type: guest === 'pv' ? type : undefined, fill: kept }
  }
  for await (const item of walk(readerOf(image))) {
    if (item.kind === 'domain-header') guest = item.bytes[0] === 1 ? 'pv' : 'hvm'
    if (item.kind !== 'record' || item.layer !== 'libxc') continue
    if (item.type === XC.END) break
    if (item.type === XC.CHECKPOINT) {
      held?.forEach((step) => step())
      held = []
    } else if (item.type === XC.VERIFY) apply(() => void (verifying = true))
    else if (item.pages !== undefined) {
      const entries: { pfn: number; type: number; fill: number | undefined }[] = []
      for (let i = 0; i < item.pages.count; i++) {
        const type = item.pages.type(i)
        entries.push({ pfn: item.pages.pfn(i), type, fill: hasContent(type) ? (await item.body.upTo(4096))[0] : undefined })
      }
      apply(() => entries.forEach(({ pfn, type, fill }) => put(pfn, type, fill)))
    } else {
      const body = await item.body.all()
      const id = item.type === XC.X86_PV_VCPU_BASIC ? `${body[0]}` : ''
      apply(() => void (records[`${item.name}${id}`] = body.join()))
    }
  }
  return { pages, records }
}
