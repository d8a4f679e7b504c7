import { PageMap } from '../image/page-map.ts'
import type { StreamType, VerifyOptions } from './finding.ts'
import { StagedMap } from './staged-map.ts'

/** What is a single value of the guest. */
interface GuestValues {
  /** `missed`: something came that needed it before; said once. */
  staticEnd: 'no' | 'missed' | 'yes'
  /** 4 or 8 once X86_PV_INFO has come. */
  width: number | undefined
  levels: number
  /** Highest pfn of a PV guest; 0 until X86_PV_P2M_FRAMES has come. */
  maxPfn: number
  hvmContext: boolean
}

/** What the restorer would know of the guest at this point of a libxc image. */
export interface ImageState extends GuestValues {
  version: number
  guest: 'pv' | 'hvm' | 'unknown'
  /** Frame of the p2m by its place in the list. */
  readonly p2mFrames: StagedMap<number>
  /** Page type by pfn, the last one that came. PV only. */
  readonly types: StagedMap<number>
  /** Content of the last X86_PV_VCPU_BASIC by vCPU number. */
  readonly vcpus: StagedMap<Uint8Array>
  verifying: boolean
  /** As of the last complete checkpoint. */
  kept: Readonly<GuestValues> | undefined
}

export const newImageState = (): ImageState => ({
  version: 3,
  guest: 'unknown',
  staticEnd: 'no',
  width: undefined,
  levels: 0,
  maxPfn: 0,
  p2mFrames: new StagedMap(),
  types: new StagedMap(new PageMap()),
  vcpus: new StagedMap(),
  hvmContext: false,
  verifying: false,
  kept: undefined,
})

/** A checkpoint is complete: what the receiver has now is what it falls back to. */
export function keepState(image: ImageState): void {
  const { staticEnd, width, levels, maxPfn, hvmContext } = image
  image.kept = { staticEnd, width, levels, maxPfn, hvmContext }
  for (const map of [image.p2mFrames, image.types, image.vcpus]) map.keep()
}

/** What came since the last complete checkpoint is dropped. */
export function dropState(image: ImageState): void {
  Object.assign(image, image.kept)
  for (const map of [image.p2mFrames, image.types, image.vcpus]) map.drop()
}

/** Where the walk is in the whole image. */
export interface StreamState {
  /** As told; undefined: whatever the stream turns out to be. */
  readonly told: StreamType | undefined
  /** The kind of domain to restore into, as told. */
  readonly domain: 'pv' | 'hvm' | undefined
  /** What was made of it so far. */
  type: StreamType
  /** Type of guest that the configuration of an `xl` file names. */
  configured: 'pv' | 'pvh' | 'hvm' | undefined
  /** vCPUs that the configuration gives the guest. */
  maxVcpus: number | undefined
  /** A libxl stream wraps the image. */
  libxl: boolean
  libxcImages: number
  emulator: boolean
  /** libxc CHECKPOINT records so far. */
  begun: number
  /** Checkpoints that the receiver has in full. */
  complete: number
  /** Records since the last complete checkpoint. */
  recordsSince: number
  /** Between a libxc CHECKPOINT and its CHECKPOINT_END. */
  inGroup: boolean
  /** A CHECKPOINT_STATE may come now. */
  stateDue: boolean
  image: ImageState
}

export const newStreamState = ({ streamType: told, domain }: VerifyOptions): StreamState => ({
  told,
  domain,
  type: told ?? 'plain',
  configured: undefined,
  maxVcpus: undefined,
  libxl: false,
  libxcImages: 0,
  emulator: false,
  begun: 0,
  complete: 0,
  recordsSince: 0,
  inGroup: false,
  stateDue: false,
  image: newImageState(),
})
