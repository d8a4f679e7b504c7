import type { CaptureItem, HeaderItem, Item, RecordItem, StopItem } from '@xen-replication/format'
import { hexText } from '../output/units.ts'

/** One piece of an image, as `--json` shows it and as the table's cells are made of. */
export interface Row {
  readonly kind: Item['kind'] | CaptureItem['kind']
  readonly layer: string
  readonly offset: number
  /** Records only: counts those of all layers, from 0. */
  readonly index?: number
  readonly type?: number
  readonly name: string
  /** Bytes of the body, or of the header. */
  readonly length: number
  readonly epoch?: number
  readonly detail: string
}

/** @param detail what is to be said of a record's body. */
export function rowOf(item: Item, detail: string): Row {
  const { kind, layer, offset } = item
  switch (item.kind) {
    case 'record':
      return recordRow(item, detail)
    case 'stop':
      return { kind, layer, offset, name: 'stop', length: item.bytes.length, detail: stopText(item) }
    case 'padding':
      return { kind, layer, offset, name: 'padding', length: item.bytes.length, detail: `not zero, after record ${item.index}` }
    case 'legacy':
      return { kind, layer, offset, name: 'legacy', length: 0, detail: 'a legacy stream begins here' }
    default:
      return { kind, layer, offset, name: item.kind, length: item.bytes.length, detail: headerText(item) }
  }
}

function recordRow({ kind, layer, offset, index, type, name, length, epoch }: RecordItem, detail: string): Row {
  return { kind, layer, offset, index, type, name: name ?? `unknown ${hexText(type)}`, length, epoch, detail }
}

const during: Readonly<Record<StopItem['during'], string>> = {
  header: 'a header',
  'record-head': "a record's head",
  body: "a record's body",
  padding: "a record's padding",
  none: 'a record',
}

/** How a walk ended, in words. */
export function stopText({ reason, during: place }: Pick<StopItem, 'reason' | 'during'>): string {
  switch (reason) {
    case 'end':
      return 'complete'
    case 'eof':
      return 'the bytes end before an END record'
    case 'cut':
      return `the bytes end within ${during[place]}`
    case 'lost':
      return 'what follows cannot be told'
  }
}

function headerText({ kind, bytes }: HeaderItem): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  switch (kind) {
    case 'xl-header':
      return `mandatory flags ${hexText(view.getUint32(36, true))}, optional flags ${hexText(view.getUint32(40, true))}`
    case 'xl-block':
      return 'configuration'
    case 'libxl-header':
      return `version ${view.getUint32(8)}, options ${hexText(view.getUint32(12))}`
    case 'image-header':
      return `version ${view.getUint32(12)}, options ${hexText(view.getUint16(16))}`
    case 'domain-header':
      return `guest type ${view.getUint32(0, true)}, Xen ${view.getUint32(8, true)}.${view.getUint32(12, true)}`
  }
}
