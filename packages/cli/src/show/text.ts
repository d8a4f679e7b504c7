import { sectionText, tableText } from '../output/table.ts'
import { bytesText, countText, durationText, hexText, plural } from '../output/units.ts'
import { stopText } from '../records/row.ts'
import { configPairs } from './config-text.ts'
import type { ShownImage } from './document.ts'
import { legacyPairs, tscText } from './legacy-text.ts'

type Pairs = readonly (readonly [name: string, value: string | undefined])[]

/** What `xr show` prints. */
export function shownText(image: ShownImage): string {
  const sections: readonly (readonly [heading: string, body: string])[] = [
    [image.file === '-' ? 'standard input' : image.file, sectionText(imagePairs(image), '  ')],
    ['configuration', sectionText(configPairs(image.config), '  ')],
    ['memory', sectionText(memoryPairs(image), '  ')],
    ['vCPUs', vcpusText(image)],
    ['state', sectionText(statePairs(image), '  ')],
    ['legacy stream', sectionText(legacyPairs(image.legacy), '  ')],
  ]
  const texts = sections.filter(([, body]) => body !== '').map(([heading, body]) => `${heading}\n${body}`)
  return `${texts.join('\n')}\n${restoresText(image)}\n`
}

/** A checkpointed stream has no END: it ends cleanly where its last checkpoint is complete. */
function endText({ checkpoints }: Parts<'checkpoints'>, end: ShownImage['end']): string {
  const clean = end.reason === 'eof' && checkpoints.complete > 0 && !checkpoints.partial
  return clean ? `cleanly, behind checkpoint ${checkpoints.complete}` : stopText(end as Parameters<typeof stopText>[0])
}

function imagePairs({ guest, records, bytes, end, trailing, seconds, ...image }: ShownImage): Pairs {
  return [
    ['container', containersText(image)],
    ['guest', guestText({ guest, ...image })],
    ['saved by', savedByText(image)],
    ['size', `${bytesText(bytes)}, ${plural(records.total, 'record')}`],
    ['checkpoints', checkpointsText(image)],
    ['ends', `${endText(image, end)}, at byte ${end.offset}`],
    ['behind it', trailing && `${plural(trailing.bytes, 'byte')}${trailing.what === undefined ? '' : `: ${trailing.what}`}`],
    ['read in', durationText(seconds * 1000)],
  ]
}

type Parts<K extends keyof ShownImage> = Pick<ShownImage, K>

function containersText({ format, xl, libxl, libxc }: Parts<'format' | 'xl' | 'libxl' | 'libxc'>): string {
  const layers = [
    xl && `xl file (${xl.streamV2 ? 'stream version 2' : 'legacy stream flag'})`,
    libxl && `libxl stream version ${libxl.version}${libxl.converted ? ' (converted from a legacy one)' : ''}`,
    libxc && `libxc image version ${libxc.version}, ${libxc.endianness}-endian`,
    format === 'legacy' || (xl !== undefined && libxl === undefined && libxc === undefined) ? 'legacy stream' : undefined,
  ]
  return layers.filter((layer) => layer !== undefined).join('\n')
}

const guestNames = { pv: 'PV', pvh: 'PVH', hvm: 'HVM', unknown: 'unknown' } as const

function guestText({ guest, libxc, config }: Parts<'guest' | 'libxc' | 'config'>): string {
  const width = libxc?.width === undefined ? '' : `, ${libxc.width} bit`
  const either = guest === 'hvm' && libxc !== undefined && config === undefined ? ' or PVH (only a configuration would tell)' : ''
  return guestNames[guest] + width + either
}

function savedByText({ libxc }: Parts<'libxc'>): string | undefined {
  if (libxc?.converter !== undefined) return `a legacy image, brought up by converter version ${libxc.converter}`
  return libxc?.xen && `Xen ${libxc.xen.major}.${libxc.xen.minor}`
}

function checkpointsText({ checkpoints, streamType }: Parts<'checkpoints' | 'streamType'>): string | undefined {
  if (streamType === 'plain' && checkpoints.complete === 0) return undefined
  return `${countText(checkpoints.complete)} complete (${streamType})${checkpoints.partial ? ', then a partial one' : ''}`
}

function memoryPairs({ libxc, pages }: ShownImage): Pairs {
  const memory = libxc?.memory
  if (memory === undefined || memory.batches === 0) return []
  const types = Object.entries(memory.types).map(([type, count]) => `${countText(count)} ${type}`)
  return [
    ['populated', `${plural(memory.populated, 'page')}, ${bytesText(memory.bytes)}`],
    ['pfns', `${countText(memory.pfns)} occur, below ${hexText(memory.pfnEnd)}`],
    ['types', types.join(', ')],
    ['sent', `${plural(memory.contents, 'page')} of content in ${plural(memory.batches, 'record')}`],
    ['zero', pages && `${countText(pages.zero)} of ${plural(pages.read, 'page')} sent`],
  ]
}

function vcpusText({ libxc }: ShownImage): string {
  if (libxc === undefined || libxc.vcpus.length === 0) return ''
  const columns = [{ heading: '  id', align: 'right' }, ...['mode', 'rip', 'rsp', 'cr0', 'cr3', 'cr4'].map((heading) => ({ heading }))] as const
  const rows = libxc.vcpus.map(({ id, mode, rip, rsp, cr0, cr3, cr4, cr3Pfn }) => [
    String(id),
    mode,
    hexText(rip),
    hexText(rsp),
    hexText(cr0),
    cr3Pfn === undefined ? hexText(cr3) : `pfn ${hexText(cr3Pfn)}`,
    hexText(cr4),
  ])
  return tableText(columns, rows)
}

function statePairs({ libxc, emulator }: ShownImage): Pairs {
  const tsc = libxc?.tsc
  const policy = [libxc?.cpuidLeaves ? plural(libxc.cpuidLeaves, 'CPUID leaf', 'CPUID leaves') : '', libxc?.msrs ? plural(libxc.msrs, 'MSR') : '']
  const context = libxc?.hvmContext
  const kinds = context?.records.map(({ name, count }) => (count === 1 ? name : `${count} ${name}`))
  return [
    ['CPU policy', policy.filter((part) => part !== '').join(', ') || undefined],
    ['time stamps', tsc && tscText(tsc)],
    ['HVM context', context && [bytesText(context.bytes), context.whole ? undefined : 'without an end', ...(kinds ?? [])].filter((part) => part !== undefined).join(', ')],
    ['HVM params', libxc?.hvmParams.map(({ index, name, value }) => `${name ?? index} ${hexText(value)}`).join('\n') || undefined],
    ['emulator', emulator && emulatorText(emulator)],
  ]
}

function emulatorText({ name, bytes, streamVersion, machine }: NonNullable<ShownImage['emulator']>): string {
  const stream = streamVersion === undefined ? 'not a QEMU stream' : `QEMU stream version ${streamVersion}`
  return `${name}, ${bytesText(bytes)}, ${stream}${machine === undefined ? '' : `, machine ${machine}`}`
}

function restoresText({ restores, verdict, findings }: ShownImage): string {
  const why = restores.why
  if (!restores.would) return `would restore: no${why === undefined ? '' : `, ${why.code} at byte ${why.offset}: ${why.message}\nhint: ${why.hint}`}`
  const remark = verdict.strict === 'accept' ? '' : `, though it is not as specified (${plural(findings, 'finding')}, see \`xr verify\`)`
  return `would restore: yes${remark}`
}
