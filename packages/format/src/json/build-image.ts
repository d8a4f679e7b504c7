import { FormatError } from '../format-error.ts'
import { Batch } from './batch.ts'
import { ItemBuilder } from './build-item.ts'
import type { ReadPages } from './build-pages.ts'
import { ItemScanner, parseItem, type ScannedItem } from './item-scanner.ts'
import { HAND_ON_BYTES, MESSAGE_MAX } from './limits.ts'

export interface BuildOptions {
  /** Where page contents are that do not stand in the document. */
  readonly readPages?: ReadPages
}

/**
 * Makes an image of the document that `describeImage()` wrote, as it is or edited, laid out as it was or anew.
 *
 * @param chunks of the document's text, cut anywhere.
 * @returns pieces of the image, each valid until the next is asked for.
 * @throws FormatError FMT_JSON and others, with the number of the item, from 0, and the field at fault.
 */
export async function* imageFromJson(
  chunks: AsyncIterable<string> | Iterable<string>,
  { readPages }: BuildOptions = {},
): AsyncGenerator<Uint8Array, void, void> {
  const scanner = new ItemScanner()
  const batch = new Batch()
  const builder = new ItemBuilder(batch, readPages)
  let number = 0
  for await (const chunk of chunks) {
    for (const item of scanner.push(chunk)) {
      addItem(builder, item, number++)
      if (batch.size > HAND_ON_BYTES) yield batch.take()
    }
  }
  scanner.end()
  builder.end()
  if (batch.size > 0) yield batch.take()
}

function addItem(builder: ItemBuilder, item: ScannedItem, number: number): void {
  try {
    builder.add(parseItem(item))
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    const what = error.message.length > MESSAGE_MAX ? `${error.message.slice(0, MESSAGE_MAX)}…` : error.message
    throw new FormatError(error.code, `item ${number}, ${what}`, { hint: error.hint, cause: error })
  }
}
