import { ByteReader, walkCapture, type CaptureItem } from '@xen-replication/format'
import type { OpenImage } from '../input/open-image.ts'
import { bytesText, plural } from '../output/units.ts'
import type { Row } from '../records/row.ts'

/** `xr records` of a migration stream of QEMU: its pieces, in order. @throws FormatError behind the last piece that is whole */
export async function* captureRows({ source }: OpenImage): AsyncGenerator<Row, void, void> {
  let index = 0
  for await (const item of walkCapture(new ByteReader(source))) {
    yield { kind: item.kind, layer: item.kind === 'message' || item.kind === 'devices' ? 'colo' : 'qemu', offset: item.offset, index, name: nameOf(item), length: lengthOf(item), epoch: item.checkpoint, detail: detailOf(item) }
    index++
  }
}

function nameOf(item: CaptureItem): string {
  if (item.kind === 'section') return `${item.section} ${item.name}`
  if (item.kind === 'message' || item.kind === 'subsection') return item.name
  return item.kind === 'command' ? `command ${item.name ?? item.command}` : item.kind
}

function lengthOf(item: CaptureItem): number {
  if ('length' in item) return item.length
  const lengths = { header: 8, end: 1, command: 5, message: 4 } as const
  return lengths[item.kind] + (item.kind === 'command' ? item.payload.length : item.kind === 'message' && item.size !== undefined ? 8 : 0)
}

function detailOf(item: CaptureItem): string {
  switch (item.kind) {
    case 'header':
      return `version ${item.version}`
    case 'configuration':
      return item.machine
    case 'section':
      return item.ram === undefined ? `section ${item.id}, instance ${item.instance}, version ${item.version}` : `${plural(item.ram.pages, 'page')}, ${item.ram.zeroPages} of zeros`
    case 'message':
      return item.size === undefined ? `checkpoint ${item.checkpoint}` : bytesText(item.size)
    case 'devices':
      return plural(item.sections.length, 'device')
    default:
      return ''
  }
}
