import type { RamBlock } from './ram-payload.ts'
import type { CaptureItem } from './walk-capture.ts'

/** A migration stream of QEMU in short, or what a COLO secondary answered. */
export interface CaptureSummary {
  /** Who said it. */
  readonly side: 'primary' | 'secondary'
  /** Type of the machine; undefined where the sender did not say it. */
  readonly machine: string | undefined
  readonly blocks: readonly RamBlock[]
  /** Pages of the first stream: with contents, and of zeros. A page may be sent several times. */
  readonly pages: number
  readonly zeroPages: number
  /** Devices by name, in order. */
  readonly devices: readonly string[]
  /** It is followed by checkpoints. */
  readonly colo: boolean
  readonly checkpoints: {
    readonly complete: number
    /** Something of another one came. */
    readonly partial: boolean
    /** Pages that all of them had. */
    readonly pages: number
    /** Device state that all of them had, in bytes. */
    readonly devicesBytes: number
  }
  /** The first stream is complete; of a secondary: it took all of it. */
  readonly complete: boolean
}

/** Gathers what a walk tells. */
export interface CaptureSummariser {
  item(item: CaptureItem): void
  /** Blocks of memory, from the walk's visitor. */
  blocks(blocks: readonly RamBlock[]): void
  finish(): CaptureSummary
}

export function createCaptureSummary(): CaptureSummariser {
  let blocks: readonly RamBlock[] = []
  let machine: string | undefined
  const devices: string[] = []
  const first = { side: 'primary' as CaptureSummary['side'], pages: 0, zeroPages: 0, ended: false, colo: false }
  const later = { begun: 0, complete: 0, pages: 0, devicesBytes: 0 }
  const see = (item: CaptureItem): void => {
    if (item.kind === 'configuration') ({ machine } = item)
    if (item.kind === 'end' && item.checkpoint === 0) first.ended = true
    if (item.kind === 'command' && item.name === 'enable-colo') first.colo = true
    if (item.kind === 'message') later.begun = item.checkpoint
    if (item.kind === 'message' && item.name === 'checkpoint-ready') first.side = 'secondary'
    if (item.kind === 'message' && item.name === 'vmstate-loaded') later.complete++
    if (item.kind === 'devices') {
      later.complete++
      later.devicesBytes += item.length
    }
    if (item.kind === 'section' && item.body !== undefined) devices.push(item.name)
    if (item.kind === 'section' && item.ram !== undefined && item.checkpoint === 0) {
      first.pages += item.ram.pages
      first.zeroPages += item.ram.zeroPages
    } else if (item.kind === 'section' && item.ram !== undefined) later.pages += item.ram.pages + item.ram.zeroPages
  }
  return {
    item: see,
    blocks: (all) => (blocks = all),
    finish: () => ({
      side: first.side,
      machine,
      blocks,
      pages: first.pages,
      zeroPages: first.zeroPages,
      devices,
      colo: first.colo || first.side === 'secondary',
      checkpoints: { complete: later.complete, partial: later.begun > later.complete, pages: later.pages, devicesBytes: later.devicesBytes },
      complete: first.ended || first.side === 'secondary',
    }),
  }
}
