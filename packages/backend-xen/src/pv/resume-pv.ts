import { BackendError } from '@xen-replication/hypervisor'
import type { Platform } from '../platform/platform.ts'
import { guestWidth, type DomainInfo } from '../ports/domain-info.ts'
import { readContext } from '../ports/pv-vcpu.ts'
import { REGISTERS, writeContext } from '../suspend/cancel-suspend.ts'
import { FrameOfPfn, readWord, writeWord } from './frame-of-pfn.ts'

/** Frames of the rings in start_info, in bytes. Source: public/xen.h struct start_info. */
const RINGS = { 8: [56, 72], 4: [44, 52] } as const

/**
 * Makes a suspended PV guest ready to go on as after a restore: its rings are machine frames again, its other vCPUs start anew.
 * Source: xc_resume.c xc_domain_resume_any().
 *
 * @throws BackendError BACKEND_STATE when its p2m is not found; BACKEND_MAP, BACKEND_CPU_STATE
 */
export function resumePv(platform: Platform, domId: number, info: DomainInfo): void {
  const width = guestWidth(platform, domId)
  const context = readContext(platform, domId, 0, width)
  const startInfo = readWord(new DataView(context.buffer, context.byteOffset), REGISTERS[width].dx, width)
  const lookup = new FrameOfPfn(platform, domId, width, Number(info.sharedInfoFrame))
  const pages = platform.foreign.map(domId, BigUint64Array.of(BigInt(startInfo)), 'write')
  try {
    const view = new DataView(pages.bytes.buffer, pages.bytes.byteOffset, pages.bytes.length)
    const frames = RINGS[width].map((at) => lookup.mfn(readWord(view, at, width)))
    if (frames.some((frame) => frame === undefined)) throw new BackendError('BACKEND_STATE', `the p2m of domain ${domId} does not tell where its rings are`)
    for (const [i, at] of RINGS[width].entries()) writeWord(view, at, width, frames[i] as number)
  } finally {
    pages.unmap()
  }
  for (let vcpu = 1; vcpu <= info.maxVcpuId; vcpu++) writeContext(platform, domId, vcpu, undefined)
}
