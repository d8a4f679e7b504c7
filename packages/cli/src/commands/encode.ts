import { imageFromJson, type BuildOptions, type ByteSource, type ReadPages } from '@xen-replication/format'
import { isAscii } from 'node:buffer'
import { TextDecoder } from 'node:util'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { openOutput, writePieces } from '../images/image-output.ts'
import { openImage, type OpenImage } from '../input/open-image.ts'
import { openSeekable, type SeekableImage } from '../input/open-seekable.ts'
import { writeDocument } from '../output/json.ts'
import { bytesText } from '../output/units.ts'
import { textOption, type Verb, type VerbContext } from './command.ts'

const PAGE_BYTES = 4096
/** Texts of this size die young; those of 128 KiB and more fill the old part of the heap. */
const PIECE_BYTES = 64 * 1024

export const verb: Verb = {
  args: [{ name: 'JSON', what: 'a document that `xr decode` wrote, as it was or edited; `-` is standard input' }],
  options: [
    { flags: '-o, --output <OUT>', what: 'the image to write', standard: 'standard output' },
    { flags: '--pages <FILE>', what: 'page contents that `xr decode --pages` put aside' },
  ],
  about: [
    'Makes an image of the document, byte for byte the one it was made of unless it was edited. Lengths, counts and padding follow from what the items hold; to write a damaged record on purpose give it `length` and `padding`. The layout of the document does not matter.',
    'What stands in the image is not judged: `xr verify` does that.',
  ],
  examples: [
    ['xr encode guest.json -o guest.save', 'after editing'],
    ['xr decode guest.save | jq -c \'.items |= map(select(.name != "VERIFY"))\' | xr encode - | xr verify -', 'an image without its VERIFY record'],
  ],
  run: async (ctx, [file = '-'], options) => {
    const document = await openImage(file, ctx)
    let pages: SeekableImage | undefined
    try {
      const path = textOption(options, 'pages')
      if (path !== undefined) pages = await openSeekable(path, ctx)
      return await encode(ctx, document, textOption(options, 'output') ?? '-', pages === undefined ? {} : { readPages: readerOf(pages) })
    } finally {
      pages?.close()
      document.close()
    }
  },
}

async function encode(ctx: VerbContext, document: OpenImage, path: string, options: BuildOptions): Promise<ExitCode> {
  const began = ctx.now()
  const out = openOutput(path, ctx)
  const task = ctx.progress.begin(`encoding ${document.path}`, document.size)
  try {
    const text = textOf(document.source, (done) => task.at(done))
    const bytes = await writePieces(out, imageFromJson(text, options), ctx.signal)
    out.commit()
    task.end()
    if (path === '-') return exitCodes.done
    if (ctx.json) await writeDocument(ctx.stdout, 'xr.encode/1', { in: document.path, out: path, bytes, seconds: (ctx.now() - began) / 1000 })
    else await ctx.stdout.write(`${path}: ${bytesText(bytes)}\n`)
    return exitCodes.done
  } finally {
    task.end()
    out.discard()
  }
}

/** The document's text. Where it is ASCII, and that is nearly everywhere, its bytes need no decoder, which is slow and makes strings of twice the size. */
async function* textOf(source: ByteSource, onRead: (done: number) => void): AsyncGenerator<string, void, void> {
  let decoder: TextDecoder | undefined
  let plain = true
  let done = 0
  for (let bytes = await source.read(PIECE_BYTES); bytes !== undefined; bytes = await source.read(PIECE_BYTES)) {
    const wasPlain = plain // otherwise the decoder may hold a part of a character
    plain = isAscii(bytes)
    if (plain && wasPlain) yield Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
    else yield (decoder ??= new TextDecoder('utf-8', { ignoreBOM: done > 0 })).decode(bytes, { stream: true })
    done += bytes.length
    onRead(done)
  }
  if (decoder !== undefined) yield decoder.decode()
}

function readerOf(pages: SeekableImage): ReadPages {
  let buffer = new Uint8Array(0)
  return (at, count) => {
    if (buffer.length < count * PAGE_BYTES) buffer = new Uint8Array(count * PAGE_BYTES)
    return pages.pread(at * PAGE_BYTES, count * PAGE_BYTES, buffer)
  }
}
