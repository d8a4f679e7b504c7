import { bytesAt, coreFile, flatMemory, type CoreFile, type SparseOutput } from '@xen-replication/format'
import { usageError } from '../cli-error.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { openOutput, writePieces, writeSparse, type ImageOutput } from '../images/image-output.ts'
import { notInImage, readConfig } from '../images/read-config.ts'
import { droppedText, extentDocument, withSnapshot, type OpenSnapshot } from '../images/read-snapshot.ts'
import { sizeOf } from '../images/size-text.ts'
import { writeDocument } from '../output/json.ts'
import { bytesText, plural } from '../output/units.ts'
import { switchOption, textOption, type OptionValues, type Verb, type VerbContext } from './command.ts'

const parts = ['core', 'memory', 'config', 'emulator'] as const
type Part = (typeof parts)[number]

/** Room for the largest machines there are; a file of that size is nearly all holes. */
const SIZE_MAX = '16TiB'

export const verb: Verb = {
  args: [
    { name: 'IN', what: 'an image; `-` is standard input' },
    { name: 'OUT', what: 'the file to write; `-` is standard output' },
  ],
  options: [
    { flags: '--core', what: 'ELF core file of memory and vCPU registers, for crash and gdb' },
    { flags: '--memory', what: 'memory as a flat file: the page of pfn N at byte 4096 × N' },
    { flags: '--config', what: 'configuration of the domain as it stands in an xl file' },
    { flags: '--emulator', what: 'state of the device model (QEMU), the last one' },
    { flags: '--max-size <SIZE>', what: 'largest file that --core and --memory may make, holes included', standard: SIZE_MAX },
  ],
  about: [
    'Takes one part out of an image. Of a series of checkpoints (Remus) the last complete one counts; the exit status is 4 when something came after it that does not, or when the image is damaged behind what counts.',
    'Memory is ordered by pfn: the guest’s (pseudo-)physical addresses. Page tables of PV guests are written as they stand in the image, where they hold pseudo-physical frame numbers instead of machine ones, so tools can follow them as on a machine without Xen. Files are sparse: pages of zeros take no room.',
    'The core file is ELF64 for x86-64, ELF32 for 32-bit PV guests. Virtual addresses in it equal physical ones: `gdb -c OUT` shows registers (thread N is vCPU N-1) and physical memory; crash with the guest’s vmlinux translates kernel addresses itself.',
  ],
  examples: [
    ['xr extract guest.save guest.core --core && crash vmlinux guest.core', 'look into the kernel of a saved guest'],
    ['xr extract guest.save - --config | jq .c_info.name', 'the name of the domain'],
  ],
  run: (ctx, [input = '-', output = '-'], options) => extract(ctx, input, output, options),
}

function partOf(options: OptionValues): Part {
  const [part, ...more] = parts.filter((name) => switchOption(options, name))
  if (part === undefined || more.length > 0) throw usageError(part === undefined ? 'what to extract is missing' : `--${part} and --${more[0] as string} exclude each other`, `give one of ${parts.map((name) => `--${name}`).join(', ')}`)
  return part
}

async function extract(ctx: VerbContext, input: string, output: string, options: OptionValues): Promise<ExitCode> {
  const part = partOf(options)
  const maxBytes = sizeOf(textOption(options, 'maxSize') ?? SIZE_MAX, '--max-size')
  if (part === 'config') return extractConfig(ctx, input, output)
  return withSnapshot(ctx, input, async (open) => {
    const job = jobOf(part, open, maxBytes)
    const extent = extentDocument(open.snapshot)
    await put(ctx, { input, output, part }, job, extent)
    const dropped = droppedText(extent)
    if (dropped !== undefined) ctx.stderr.writeNow(`xr: warning: ${dropped}\n`)
    return extent.whole ? exitCodes.done : exitCodes.salvaged
  })
}

async function extractConfig(ctx: VerbContext, input: string, output: string): Promise<ExitCode> {
  const config = await readConfig(ctx, input)
  const write = async (out: ImageOutput): Promise<void> => {
    await writePieces(out, [config], ctx.signal)
    out.commit()
  }
  await put(ctx, { input, output, part: 'config' }, { size: config.length, write, facts: {}, text: bytesText(config.length) })
  return exitCodes.done
}

/** What to write and what to say of it. */
interface Job {
  readonly size: number
  readonly facts: object
  readonly text: string
  write(out: ImageOutput, ctx: VerbContext, at: (done: number) => void): Promise<void>
}

function jobOf(part: Exclude<Part, 'config'>, { image, snapshot }: OpenSnapshot, maxBytes: number): Job {
  if (part === 'emulator') {
    const place = snapshot.emulatorContext
    if (place === undefined) throw notInImage(image.path, 'state of a device model', 'only HVM guests have one, and a bare libxc image has no room for it')
    const blob = { at: place.at + EMULATOR_HEAD, length: place.length - EMULATOR_HEAD }
    return {
      size: blob.length,
      facts: {},
      text: bytesText(blob.length),
      write: async (out, ctx, at) => {
        await writePieces(out, bytesAt(image, blob), ctx.signal, at)
        out.commit()
      },
    }
  }
  if (part === 'memory') return sparseJob(flatMemory(image, snapshot.pages, { maxBytes }), {}, 'memory')
  const core = coreFile(image, snapshot, { maxBytes })
  return sparseJob(core, coreFacts(core), `an ELF${core.elfClass} core file, ${plural(core.vcpus, 'vCPU')}`)
}

/** Which device model it is, in front of its state. */
const EMULATOR_HEAD = 8

const coreFacts = ({ elfClass, segments, vcpus, base }: CoreFile) => ({ elfClass, segments, vcpus, base })

function sparseJob(output: SparseOutput, facts: object, what: string): Job {
  return {
    size: output.size,
    facts: { pages: output.pages, ...facts },
    text: `${what}, ${plural(output.pages, 'page')} with contents, ${bytesText(output.size)} with holes`,
    write: async (out, ctx, at) => {
      await writeSparse(out, output, ctx.signal, at)
      out.commit(output.size)
    },
  }
}

async function put(ctx: VerbContext, { input, output, part }: { input: string; output: string; part: Part }, job: Job, extent?: object): Promise<void> {
  const began = ctx.now()
  const out = openOutput(output, ctx)
  const task = ctx.progress.begin(`writing ${output}`, job.size)
  try {
    await job.write(out, ctx, (done) => task.at(done))
  } finally {
    task.end()
    out.discard()
  }
  const seconds = (ctx.now() - began) / 1000
  if (ctx.json) await writeDocument(ctx.stdout, 'xr.extract/1', { in: input, out: output, part, bytes: job.size, ...job.facts, ...extent, seconds })
  else if (output !== '-') await ctx.stdout.write(`${output}: ${job.text}\n`)
}
