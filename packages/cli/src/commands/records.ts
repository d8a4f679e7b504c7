import { ByteReader, recordDetail, walk, walkLegacy, type Item } from '@xen-replication/format'
import { isOutputClosed, usageError } from '../cli-error.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { formatOption, imageFormatOf } from '../input/image-options.ts'
import { notAnImage } from '../input/not-an-image.ts'
import { openImage, type OpenImage } from '../input/open-image.ts'
import { captureRows } from '../qemu/capture-rows.ts'
import { lookForQemu } from '../qemu/qemu-image.ts'
import { listWriter } from '../records/list-writer.ts'
import { legacyRow } from '../records/legacy-row.ts'
import { rowOf, type Row } from '../records/row.ts'
import { errorDocument, exitCodeOf, renderError } from '../render-error.ts'
import { textOption, type OptionValues, type Verb, type VerbContext } from './command.ts'

export const verb: Verb = {
  args: [{ name: 'FILE', what: 'an image; `-` is standard input' }],
  options: [{ flags: '-n, --limit <COUNT>', what: 'stop after so many lines', standard: 'all' }, formatOption],
  about: [
    'Writes a line for each header and record: its number (records of all layers count together), layer, offset of its head in bytes, type, length of its body in bytes, and what it holds. Page contents are passed over.',
  ],
  examples: [
    ['xr records guest.save', 'all records'],
    ['xr records --jsonl - < guest.save | jq -c "select(.name == \\"PAGE_DATA\\")"', 'page records only, one JSON object a line'],
  ],
  lines: true,
  run: async (ctx, [file = '-'], options) => {
    const limit = limitOf(options)
    const opened = await openImage(file, ctx)
    try {
      const { image, isQemu } = await lookForQemu(opened, options)
      return await list(ctx, image, { limit, rows: isQemu ? captureRows(image) : rows(image, new ByteReader(image.source), imageFormatOf(options)) })
    } finally {
      opened.close()
    }
  },
}

function limitOf(options: OptionValues): number {
  const text = textOption(options, 'limit')
  if (text === undefined) return Infinity
  if (!/^[1-9]\d{0,14}$/.test(text)) throw usageError(`'${text}' is no number of lines`, 'give a whole number from 1 on')
  return Number(text)
}

interface ListOptions {
  readonly limit: number
  readonly rows: AsyncGenerator<Row>
}

/** What has been written already stays: an error after it becomes the list's last word. */
async function list(ctx: VerbContext, image: OpenImage, { limit, rows: all }: ListOptions): Promise<ExitCode> {
  const out = listWriter(ctx, image.path)
  let count = 0
  try {
    for await (const row of all) {
      await out.row(row)
      if (++count >= limit) break
    }
  } catch (error) {
    if (count === 0 || isOutputClosed(error)) throw error
    await out.end(errorDocument(error))
    ctx.stderr.writeNow(renderError(error))
    return exitCodeOf(error)
  }
  await out.end()
  return exitCodes.done
}

async function* rows({ path }: OpenImage, reader: ByteReader, format: ReturnType<typeof imageFormatOf>): AsyncGenerator<Row> {
  let first = true
  for await (const item of walk(reader, { format })) {
    if (item.kind === 'stop' && first) throw await notAnImage(path, reader)
    first = false
    yield rowOf(item, await detailOf(item))
    if (item.kind === 'legacy') for await (const step of walkLegacy(reader)) yield legacyRow(step)
  }
}

const detailOf = (item: Item): Promise<string> | string => (item.kind === 'record' ? recordDetail(item) : '')
