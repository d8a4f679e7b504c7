import { ByteReader, FIRST_BYTES, describeImage, recognise, type DescribeOptions, type KeepPages } from '@xen-replication/format'
import type { CliError } from '../cli-error.ts'
import { exitCodes } from '../exit-codes.ts'
import { imageFormatOf, formatOption } from '../input/image-options.ts'
import { notAnImage } from '../input/not-an-image.ts'
import { openImage, type OpenImage } from '../input/open-image.ts'
import { createFile, type NewFile } from '../output/new-file.ts'
import { textOption, type Verb, type VerbContext } from './command.ts'

const PAGE_BYTES = 4096

export const verb: Verb = {
  args: [{ name: 'FILE', what: 'an image, damaged or not; `-` is standard input' }],
  options: [{ flags: '--pages <FILE>', what: 'put page contents there, one behind the other, instead of into the document' }, formatOption],
  about: [
    'Writes an image as a JSON document to standard output, with or without --json: `items` is the list of its headers and records in order, one a line. Records whose meaning is known have a `value`; bodies that cannot be said by name without loss are `raw`, in hexadecimal. Page records have `entries`, as "0x0..0x9f:NOTAB", and `pages`: 4096 bytes in base64 each, or 0 for a zero page.',
    '`xr encode` makes the same bytes of it, whatever the input was: cut streams, bytes behind the end, reserved bits and unknown records are all kept.',
  ],
  examples: [
    ['xr decode guest.save | xr encode - | cmp - guest.save', 'nothing is lost'],
    ['xr decode --pages guest.pages guest.save > guest.json', 'a document short enough for an editor'],
    ["xr decode guest.save | jq '.items[] | select(.name == \"HVM_PARAMS\")'", 'one record'],
  ],
  run: async (ctx, [file = '-'], options) => {
    const image = await openImage(file, ctx)
    const path = textOption(options, 'pages')
    let pages: NewFile | undefined
    try {
      if (path !== undefined) pages = createFile(path, { force: true })
      await decode(ctx, image, { format: imageFormatOf(options), ...(pages === undefined ? {} : { keepPages: keeperOf(pages) }) })
      pages?.commit()
      return exitCodes.done
    } finally {
      pages?.discard()
      image.close()
    }
  },
}

async function decode(ctx: VerbContext, image: OpenImage, options: DescribeOptions): Promise<void> {
  const reader = new ByteReader(image.source)
  const warn = (text: string): void => ctx.stderr.writeNow(`xr: warning: ${text}\n`)
  const doubt = options.format === 'auto' ? await doubtAbout(image.path, reader) : undefined
  if (doubt !== undefined) warn(`${doubt.message}; ${doubt.hint}`)
  const onStop: DescribeOptions['onStop'] = ({ reason, offset }) => {
    if (doubt === undefined) warn(`${image.path}: ${reason === 'cut' ? 'the image ends too early' : 'the rest cannot be told and is kept as bytes'} (at byte ${offset})`)
  }
  const task = ctx.progress.begin(`decoding ${image.path}`, image.size)
  try {
    for await (const piece of describeImage(reader, { ...options, onStop })) {
      await ctx.stdout.write(piece)
      task.at(reader.offset)
    }
  } finally {
    task.end()
  }
}

/** What other verbs would refuse the file for. */
async function doubtAbout(path: string, reader: ByteReader): Promise<CliError | undefined> {
  return recognise(await reader.peek(FIRST_BYTES)) === 'unknown' ? notAnImage(path, reader) : undefined
}

function keeperOf(file: NewFile): KeepPages {
  let count = 0
  return (pages) => {
    const first = count
    file.write(pages)
    count += pages.length / PAGE_BYTES
    return first
  }
}
