import { plainImage, salvageOf, type Salvage } from '@xen-replication/format'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { openOutput, remark, writePieces } from '../images/image-output.ts'
import { droppedText, extentDocument, withSnapshot, type ExtentDocument, type OpenSnapshot } from '../images/read-snapshot.ts'
import { writeDocument } from '../output/json.ts'
import { bytesText, plural } from '../output/units.ts'
import { switchOption, type Verb, type VerbContext } from './command.ts'

export const verb: Verb = {
  args: [
    { name: 'IN', what: 'an image; `-` is standard input' },
    { name: 'OUT', what: 'the plain image to write; `-` is standard output' },
  ],
  options: [{ flags: '--force', what: 'write an image of an HVM guest even when the state of its device model got lost' }],
  about: [
    'Makes a plain image that restores to what IN restores to: headers and configuration as they are, the last version of every page, the last of every other record. Of a series of checkpoints (Remus) the last complete one counts, as for Xen; what follows it is left out. A plain image has to be there up to the END of its libxc part.',
    'An HVM guest needs the state of its device model (QEMU), which comes last in a plain image. When that is lost, xl cannot restore the guest, so nothing is written unless --force is given; the output then serves for `xr extract` and for those who bring another device model state. PV and PVH guests have none.',
    'Exit status: 0 when nothing was left out, 4 when something was, 3 when nothing can be salvaged. OUT is written beside its place and put there when it is whole; a file of that name is replaced.',
  ],
  examples: [
    ['xr repair guest.stream guest.save', 'the last complete checkpoint of a Remus stream that broke off, for `xl restore`'],
    ['ssh host cat guest.stream | xr repair - guest.save', 'the same from elsewhere'],
  ],
  run: (ctx, [input = '-', output = '-'], options) => withSnapshot(ctx, input, (open) => repair(ctx, open, output, switchOption(options, 'force'))),
}

async function repair(ctx: VerbContext, { image, snapshot }: OpenSnapshot, path: string, force: boolean): Promise<ExitCode> {
  const began = ctx.now()
  const salvage = salvageOf(snapshot, { force })
  const out = openOutput(path, ctx)
  const task = ctx.progress.begin(`writing ${path}`, snapshot.extent.until)
  try {
    const bytes = await writePieces(out, plainImage(image, snapshot), ctx.signal, (written) => task.at(written))
    out.commit()
    task.end()
    const extent = extentDocument(snapshot)
    const pages = snapshot.pages.size
    const seconds = (ctx.now() - began) / 1000
    if (ctx.json) await writeDocument(ctx.stdout, 'xr.repair/1', { in: image.path, out: path, guest: snapshot.guest, pages, bytes, ...extent, withoutEmulator: salvage.withoutEmulator, seconds })
    else await remark(ctx, path, text(path, bytes, pages, extent, salvage))
    return salvage.whole ? exitCodes.done : exitCodes.salvaged
  } finally {
    task.end()
    out.discard()
  }
}

function text(path: string, bytes: number, pages: number, extent: ExtentDocument, { withoutEmulator }: Salvage): string {
  const dropped = droppedText(extent)
  const lines = [
    `${path === '-' ? 'standard output' : path}: a plain image of ${bytesText(bytes)}, ${plural(pages, 'page entry', 'page entries')}`,
    extent.kind === 'checkpoints' ? `it holds checkpoint ${extent.checkpoints}, the last complete one` : undefined,
    dropped === undefined ? 'nothing was left out' : `left out: ${dropped}`,
    withoutEmulator ? 'the device model’s state is missing: xl cannot restore this image' : undefined,
  ]
  return lines.map((line) => (line === undefined ? '' : `${line}\n`)).join('')
}
