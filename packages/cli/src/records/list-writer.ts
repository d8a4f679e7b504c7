import type { VerbContext } from '../commands/command.ts'
import { beginDocument, jsonText } from '../output/json.ts'
import type { Output } from '../output/output.ts'
import { lineText, type Column } from '../output/table.ts'
import type { ErrorDocument } from '../render-error.ts'
import type { Row } from './row.ts'

/** Writes rows as they come: a table, one document, or a line of JSON each. */
export interface ListWriter {
  row(row: Row): Promise<void>
  /** @param error what kept the list from being complete. */
  end(error?: ErrorDocument): Promise<void>
}

const columns: readonly Column[] = [
  { heading: 'index', align: 'right' },
  { heading: 'layer' },
  { heading: 'offset', align: 'right' },
  { heading: 'type' },
  { heading: 'length', align: 'right' },
  { heading: 'summary' },
]
/** Known beforehand, because the table is written as it grows: wide enough for a terabyte. */
const widths = [7, 6, 13, 25, 10, 0] as const
const PIECE = 64 * 1024

export function listWriter({ stdout, json, jsonl }: VerbContext, file: string): ListWriter {
  if (json) {
    const document = beginDocument(stdout, 'xr.records/1', { file }, 'records')
    return { row: (row) => document.item(row), end: (error) => document.end(error === undefined ? {} : { error }) }
  }
  return jsonl ? lines(stdout, '', jsonLine, (error) => jsonLine({ error })) : lines(stdout, heading(), tableLine, () => '')
}

function lines(out: Output, first: string, textOf: (row: Row) => string, lastOf: (error: ErrorDocument) => string): ListWriter {
  let text = first
  const flush = async (): Promise<void> => {
    const ready = text
    text = ''
    await out.write(ready)
  }
  return {
    row: async (row) => {
      text += textOf(row)
      if (text.length >= PIECE) await flush()
    },
    end: async (error) => {
      if (error !== undefined) text += lastOf(error)
      await flush()
    },
  }
}

const jsonLine = (value: object): string => `${jsonText(value)}\n`

const heading = (): string => lineText(columns, widths, columns.map((column) => column.heading))

function tableLine({ index, layer, offset, name, length, detail }: Row): string {
  return lineText(columns, widths, [index === undefined ? '-' : String(index), layer, String(offset), name, String(length), detail])
}
