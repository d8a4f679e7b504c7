import { ByteReader, convertImage, convertWarnings, CONVERT_TARGETS, FIRST_BYTES, recognise, type ConvertOptions, type ConvertTarget, type ConvertWarning } from '@xen-replication/format'
import { usageError } from '../cli-error.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { configFile, readSmallFile } from '../images/small-file.ts'
import { openOutput, remark, writePieces } from '../images/image-output.ts'
import { notAnImage } from '../input/not-an-image.ts'
import { openImage, type OpenImage } from '../input/open-image.ts'
import { writeDocument } from '../output/json.ts'
import { bytesText } from '../output/units.ts'
import { textOption, type OptionValues, type Verb, type VerbContext } from './command.ts'

const guests = ['pv', 'hvm'] as const
const widths = ['32', '64'] as const

export const verb: Verb = {
  args: [
    { name: 'IN', what: 'an image of any kind, legacy ones included; `-` is standard input' },
    { name: 'OUT', what: 'the image to write; `-` is standard output' },
  ],
  options: [
    { flags: '--to <FORMAT>', what: 'what to write', choices: CONVERT_TARGETS },
    { flags: '--config <FILE>', what: 'with --to xl: configuration (JSON of libxl, or an xl.cfg) to put in place of the one in IN' },
    { flags: '--emulator <FILE>', what: 'from a bare libxc image: state of QEMU to put in, as `xr extract --emulator` writes it' },
    { flags: '--guest <TYPE>', what: 'type of guest of a legacy image that does not tell', choices: guests },
    { flags: '--width <BITS>', what: 'word size of the tools that wrote a legacy image that does not tell', choices: widths },
  ],
  about: [
    'Puts an image into another container: libxc-v3 is the bare memory and CPU state, libxl-v2 has that and the device model’s state, xl has that and the domain’s configuration and is what `xl restore` takes. A bare image of version 2 becomes one of version 3. Records are passed through byte for byte, and nothing is held in memory, so IN and OUT may be pipes.',
    'Images from before Xen 4.6 are converted as Xen’s convert-legacy-stream does. What the wanted format has no room for is left out with a warning: the configuration in libxl-v2, that and the device model’s state in libxc-v3.',
    'A series of checkpoints (Remus) is converted where only the outer container changes; otherwise make it plain first with `xr repair`.',
  ],
  examples: [
    ['xr convert guest.save guest.libxl --to libxl-v2', 'the stream inside an xl file'],
    ['xr convert old.save new.save --to xl', 'a guest saved before Xen 4.6, for today’s xl'],
    ['xr convert guest.xc guest.save --to xl --config guest.cfg', 'a bare image made restorable with xl'],
  ],
  run: async (ctx, [input = '-', output = '-'], options) => {
    const wanted = conversionOf(options)
    const image = await openImage(input, ctx)
    try {
      return await convert(ctx, image, output, wanted)
    } finally {
      image.close()
    }
  },
}

function conversionOf(options: OptionValues): ConvertOptions {
  const to = CONVERT_TARGETS.find((target) => target === textOption(options, 'to'))
  if (to === undefined) throw usageError('--to is missing', `give one of ${CONVERT_TARGETS.join(', ')}`)
  const config = textOption(options, 'config')
  if (config !== undefined && to !== 'xl') throw usageError(`--config: ${to} has no room for a configuration`, 'use --to xl')
  const emulator = textOption(options, 'emulator')
  if (emulator !== undefined && to === 'libxc-v3') throw usageError('--emulator: a bare libxc image has no room for it', 'use --to libxl-v2 or --to xl')
  const width = widths.find((bits) => bits === textOption(options, 'width'))
  return {
    to,
    guest: guests.find((guest) => guest === textOption(options, 'guest')),
    width: width === undefined ? undefined : width === '32' ? 32 : 64,
    config: config === undefined ? undefined : configFile(config),
    emulator: emulator === undefined ? undefined : readSmallFile(emulator),
  }
}

async function convert(ctx: VerbContext, image: OpenImage, path: string, options: ConvertOptions): Promise<ExitCode> {
  const began = ctx.now()
  const reader = new ByteReader(image.source)
  const from = recognise(await reader.peek(FIRST_BYTES))
  if (from === 'unknown') throw await notAnImage(image.path, reader)
  const warnings: ConvertWarning[] = []
  const out = openOutput(path, ctx)
  const task = ctx.progress.begin(`converting ${image.path}`, image.size)
  try {
    const pieces = convertImage(reader, { ...options, onWarning: (warning) => warnings.push(warning) })
    const bytes = await writePieces(out, pieces, ctx.signal, () => task.at(reader.offset))
    out.commit()
    task.end()
    const seconds = (ctx.now() - began) / 1000
    for (const warning of warnings) ctx.stderr.writeNow(`xr: warning: ${convertWarnings[warning]}\n`)
    if (ctx.json) await writeDocument(ctx.stdout, 'xr.convert/1', { in: image.path, out: path, from, to: options.to, bytes, warnings: warnings.map(warningDocument), seconds })
    else await remark(ctx, path, text(path, options.to, bytes))
    return exitCodes.done
  } finally {
    task.end()
    out.discard()
  }
}

const warningDocument = (code: ConvertWarning) => ({ code, message: convertWarnings[code] })

const names: Readonly<Record<ConvertTarget, string>> = {
  'libxc-v3': 'a libxc image of version 3',
  'libxl-v2': 'a libxl stream of version 2',
  xl: 'an xl file',
}

const text = (path: string, to: ConvertTarget, bytes: number): string => `${path === '-' ? 'standard output' : path}: ${names[to]}, ${bytesText(bytes)}\n`
