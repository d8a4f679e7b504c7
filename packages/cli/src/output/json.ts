import type { Output } from './output.ts'

/** JSON text; 64-bit numbers are "0x…" strings, bytes are hexadecimal strings, what is undefined is left out. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, (_key, part: unknown) => plain(part), indent)
}

function plain(part: unknown): unknown {
  if (typeof part === 'bigint') return `0x${part.toString(16)}`
  if (part instanceof Uint8Array) return Buffer.from(part.buffer, part.byteOffset, part.length).toString('hex')
  return part
}

/** Writes the one document that `--json` promises: `schema` is `xr.<verb>/1` and comes first. */
export async function writeDocument(out: Output, schema: string, value: object): Promise<void> {
  await out.write(`${jsonText({ schema, ...value }, 2)}\n`)
}

/** Writes one line of `--jsonl`. */
export async function writeJsonLine(out: Output, value: object): Promise<void> {
  await out.write(`${jsonText(value)}\n`)
}

/** A document whose one long list is written as it grows, so memory does not. */
export interface DocumentWithList {
  item(value: object): Promise<void>
  /** Ends the list and adds the rest of the document. */
  end(rest: object): Promise<void>
}

/** Begins a document `{schema, ...front, [list]: [` and gives the writer for what follows. */
export function beginDocument(out: Output, schema: string, front: object, list: string): DocumentWithList {
  let text = `${jsonText({ schema, ...front }).slice(0, -1)},${JSON.stringify(list)}:[`
  let separator = '\n'
  const flush = async (): Promise<void> => {
    const ready = text
    text = ''
    await out.write(ready)
  }
  return {
    item: async (value) => {
      text += separator + jsonText(value)
      separator = ',\n'
      if (text.length > 64 * 1024) await flush()
    },
    end: async (rest) => {
      const tail = jsonText(rest).slice(1)
      text += `\n]${tail === '}' ? '' : ','}${tail}\n`
      await flush()
    },
  }
}
