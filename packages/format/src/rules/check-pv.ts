import { viewOf } from '../bytes/struct.ts'
import { PAGE_SIZE } from '../bytes/limits.ts'
import type { RecordScene } from './scene.ts'
import type { ImageState } from './state.ts'

export function checkPvInfo({ image, report }: RecordScene, body: Uint8Array): void {
  if (body.length < 8) return report('XC_PV_INFO_SHORT', `${body.length} bytes`)
  if (body.length > 8) report('XC_PV_INFO_LONG', `${body.length} bytes`)
  const width = body[0] as number
  const levels = body[1] as number
  const detail = `width ${width}, levels ${levels}`
  if ((width !== 4 && width !== 8) || (levels !== 3 && levels !== 4)) report('XC_PV_INFO_WIDTH', detail)
  else if ((width === 8) !== (levels === 4)) report('XC_PV_INFO_COMBINATION', detail)
  if (body.subarray(2, 8).some((byte) => byte !== 0)) report('XC_PV_INFO_RESERVED')
  if (image.width !== undefined) return report('XC_PV_INFO_TWICE')
  image.width = width
  image.levels = levels
}

export function checkP2mFrames({ image, report }: RecordScene, body: Uint8Array): void {
  if (body.length < 8 || body.length % 8 !== 0) return report('XC_P2M_LENGTH', `${body.length} bytes`)
  const view = viewOf(body)
  const start = view.getUint32(0, true)
  const end = view.getUint32(4, true)
  if (start > end) return report('XC_P2M_RANGE', `from 0x${start.toString(16)} to 0x${end.toString(16)}`)
  const perFrame = framePages(image)
  const first = Math.floor(start / perFrame)
  const wanted = Math.floor(end / perFrame) + 1 - first
  const count = body.length / 8 - 1
  if (count !== wanted) return report('XC_P2M_COUNT', `${wanted} wanted, ${count} there`)
  if (end === 0) report('XC_P2M_RANGE', 'the guest has a single page')
  image.maxPfn = Math.max(image.maxPfn, end)
  for (let i = 0; i < count; i++) image.p2mFrames.set(first + i, Number(view.getBigUint64(8 + 8 * i, true)))
}

/** Pfns whose p2m entries fill one page. */
export const framePages = (image: ImageState): number => PAGE_SIZE / (image.width === 4 ? 4 : 8)
