import { ByteReader, createCaptureSummary, walkCapture, type CaptureSummariser, type CaptureSummary, type RamVisitor } from '@xen-replication/format'
import { isXrError } from '@xen-replication/errors'
import type { VerbContext } from '../commands/command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { OpenImage } from '../input/open-image.ts'
import { writeDocument } from '../output/json.ts'
import { sectionText } from '../output/table.ts'
import { bytesText, countText, durationText, plural } from '../output/units.ts'
import { errorDocument, type ErrorDocument } from '../render-error.ts'

/** What was read of a capture, and where reading ended. */
export interface CaptureReading {
  readonly summary: CaptureSummary
  readonly bytes: number
  readonly seconds: number
  /** Why it could not be read any further. */
  readonly fault: ErrorDocument | undefined
}

/** Reads a migration stream of QEMU as far as it goes. @throws CliError when it is called off or the file fails */
export async function readCapture(ctx: VerbContext, image: OpenImage): Promise<CaptureReading> {
  const began = ctx.now()
  const reader = new ByteReader(image.source)
  const summary = createCaptureSummary()
  const task = ctx.progress.begin(image.path, image.size)
  let fault: ErrorDocument | undefined
  try {
    for await (const item of walkCapture(reader, seeing(summary))) {
      summary.item(item)
      task.at(reader.offset)
    }
  } catch (error) {
    if (!isXrError(error) || !error.code.startsWith('FMT_')) throw error
    fault = errorDocument(error)
  } finally {
    task.end()
  }
  return { summary: summary.finish(), bytes: reader.offset, seconds: (ctx.now() - began) / 1000, fault }
}

const seeing = (summary: CaptureSummariser): RamVisitor => ({ blocks: (blocks) => summary.blocks(blocks), page: () => undefined })

/** `xr show` of a migration stream of QEMU. */
export async function showCapture(ctx: VerbContext, image: OpenImage): Promise<ExitCode> {
  const reading = await readCapture(ctx, image)
  if (ctx.json) await writeDocument(ctx.stdout, 'xr.show/1', { file: image.path, format: 'qemu', ...reading.summary, bytes: reading.bytes, fault: reading.fault, seconds: reading.seconds })
  else await ctx.stdout.write(captureText(image.path, reading))
  return exitCodes.done
}

function captureText(path: string, { summary, bytes, seconds, fault }: CaptureReading): string {
  const { side, machine, blocks, pages, zeroPages, devices, colo, checkpoints, complete } = summary
  const memory = blocks.reduce((sum, { length }) => sum + length, 0)
  const pairs: readonly (readonly [string, string | undefined])[] = [
    ['container', side === 'secondary' ? 'answers of a COLO secondary' : `QEMU migration stream${colo ? ' of a COLO primary' : ''}`],
    ['machine', machine],
    ['memory', blocks.length === 0 ? undefined : `${bytesText(memory)} in ${plural(blocks.length, 'block')}: ${blocks.map(({ name }) => name).join(', ')}`],
    ['sent', side === 'secondary' ? undefined : `${plural(pages, 'page')} of content, ${countText(zeroPages)} of zeros`],
    ['devices', devices.length === 0 ? undefined : `${countText(devices.length)}: ${devices.slice(0, 8).join(', ')}${devices.length > 8 ? ', …' : ''}`],
    ['checkpoints', colo ? `${countText(checkpoints.complete)} complete${checkpoints.partial ? ', then a partial one' : ''}${side === 'secondary' ? '' : `; ${plural(checkpoints.pages, 'page')}, ${bytesText(checkpoints.devicesBytes)} of device state`}` : undefined],
    ['size', bytesText(bytes)],
    ['ends', fault === undefined ? (complete ? 'cleanly' : 'early') : `${fault.code} ${fault.message}`],
    ['read in', durationText(seconds * 1000)],
  ]
  return `${path === '-' ? 'standard input' : path}\n${sectionText(pairs, '  ')}`
}
