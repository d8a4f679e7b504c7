import type { VerbContext } from '../commands/command.ts'
import { beginDocument, jsonText } from '../output/json.ts'
import { lineText, type Column } from '../output/table.ts'
import type { Row } from './row.ts'

/** Writes rows as they come: a table, one document, or a line of JSON each. */
export interface ListWriter {
  row(row: Row): Promise<void>
  end(): Promise<void>
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
    return { row: (row) => document.item(row), end: () => document.end({}) }
  }
  return lines(stdout, jsonl ? (row) => `${jsonText(row)}\n` : tableLine, jsonl ? '' : heading())
}

function lines(out: VerbContext['stdout'], textOf: (row: Row) => string, first: string): ListWriter {
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
    end: flush,
  }
}

const heading = (): string => lineText(columns, widths, columns.map((column) => column.heading))

function tableLine({ index, layer, offset, name, length, detail }: Row): string {
  return lineText(columns, widths, [index === undefined ? '-' : String(index), layer, String(offset), name, String(length), detail])
}
