import type { HeaderItem } from '../image/item.ts'
import { checkpointDirtyPfnList } from '../libxc/checkpoint-dirty-pfn-list.ts'
import { domainHeaderCodec } from '../libxc/domain-header.ts'
import { checkpoint, end, staticDataEnd, verify } from '../libxc/empty-records.ts'
import { hvmContext } from '../libxc/hvm-context/hvm-context.ts'
import { hvmParams } from '../libxc/hvm-params.ts'
import { imageHeaderCodec } from '../libxc/image-header.ts'
import { sharedInfo } from '../libxc/shared-info.ts'
import { x86CpuidPolicy } from '../libxc/x86-cpuid-policy.ts'
import { x86MsrPolicy } from '../libxc/x86-msr-policy.ts'
import { x86PvInfo } from '../libxc/x86-pv-info.ts'
import { x86PvP2mFrames } from '../libxc/x86-pv-p2m-frames.ts'
import { x86PvVcpuBasic } from '../libxc/x86-pv-vcpu-basic.ts'
import { x86PvVcpuExtended } from '../libxc/x86-pv-vcpu-extended.ts'
import { x86PvVcpuMsrs } from '../libxc/x86-pv-vcpu-msrs.ts'
import { x86PvVcpuXsave } from '../libxc/x86-pv-vcpu-xsave.ts'
import { x86TscInfo } from '../libxc/x86-tsc-info.ts'
import { checkpointState } from '../libxl/checkpoint-state.ts'
import { emulatorContext } from '../libxl/emulator-context.ts'
import { emulatorXenstoreData } from '../libxl/emulator-xenstore-data.ts'
import { checkpointEnd, libxcContext, libxlEnd } from '../libxl/empty-records.ts'
import { libxlHeaderCodec } from '../libxl/stream-header.ts'
import { xlBlock } from '../xl/optional-block.ts'
import { xlHeaderCodec } from '../xl/save-header.ts'
import type { Codec } from './codec.ts'
import type { RecordCodec } from './record.ts'

const byType = (...codecs: readonly RecordCodec<unknown>[]): ReadonlyMap<number, RecordCodec<unknown>> =>
  new Map(codecs.map((codec) => [codec.type, codec]))

const libxc = byType(
  end,
  x86PvInfo,
  x86PvP2mFrames,
  x86PvVcpuBasic,
  x86PvVcpuExtended,
  x86PvVcpuXsave,
  sharedInfo,
  x86TscInfo,
  hvmContext,
  hvmParams,
  x86PvVcpuMsrs,
  verify,
  checkpoint,
  checkpointDirtyPfnList,
  staticDataEnd,
  x86CpuidPolicy,
  x86MsrPolicy,
)
const libxl = byType(libxlEnd, libxcContext, emulatorXenstoreData, emulatorContext, checkpointEnd, checkpointState)

const headers: Readonly<Record<HeaderItem['kind'], Codec<unknown>>> = {
  'xl-header': xlHeaderCodec,
  'xl-block': xlBlock,
  'libxl-header': libxlHeaderCodec,
  'image-header': imageHeaderCodec,
  'domain-header': domainHeaderCodec,
}

/** The codec of a libxc record; undefined for types that are unknown, for PAGE_DATA, which is not held as a whole, and for TOOLSTACK. */
export const libxcCodec = (type: number): RecordCodec<unknown> | undefined => libxc.get(type)

/** The codec of a libxl record; undefined for types that are unknown. */
export const libxlCodec = (type: number): RecordCodec<unknown> | undefined => libxl.get(type)

/** The codec of a piece that is not a record. */
export const headerCodec = (kind: HeaderItem['kind']): Codec<unknown> => headers[kind]
