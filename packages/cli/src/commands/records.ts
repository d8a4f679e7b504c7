import { ByteReader, recordDetail, walk, type Item } from '@xen-replication/format'
import { usageError } from '../cli-error.ts'
import { exitCodes } from '../exit-codes.ts'
import { formatOf, formatOption } from '../input/image-options.ts'
import { notAnImage } from '../input/not-an-image.ts'
import { openImage, type OpenImage } from '../input/open-image.ts'
import { listWriter, type ListWriter } from '../records/list-writer.ts'
import { rowOf } from '../records/row.ts'
import { textOption, type OptionValues, type Verb } from './command.ts'

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
    const image = await openImage(file, ctx)
    try {
      const out = listWriter(ctx, file)
      await list(image, out, { limit, format: formatOf(options) })
      return exitCodes.done
    } finally {
      image.close()
    }
  },
}

function limitOf(options: OptionValues): number {
  const text = textOption(options, 'limit')
  if (text === undefined) return Infinity
  if (!/^[1-9]\d{0,14}$/.test(text)) throw usageError(`'${text}' is no number of lines`, 'give a whole number from 1 on')
  return Number(text)
}

async function list(image: OpenImage, out: ListWriter, { limit, format }: { limit: number; format: ReturnType<typeof formatOf> }): Promise<void> {
  const reader = new ByteReader(image.source)
  let count = 0
  for await (const item of walk(reader, { format })) {
    if (item.kind === 'stop' && count === 0) throw await notAnImage(image.path, reader)
    await out.row(rowOf(item, await detailOf(item)))
    if (++count >= limit && item.kind !== 'stop') break
  }
  await out.end()
}

const detailOf = (item: Item): Promise<string> | string => (item.kind === 'record' ? recordDetail(item) : '')
