import type { Json } from '../bytes/field.ts'
import { DECODE_SCHEMA } from './limits.ts'
import { asciiJson, TextOut } from './text-out.ts'

/** Writes the document: its head, an item a line, its end. The last item stays open for more fields until the next one begins. */
export class ItemLines {
  readonly out = new TextOut()
  #end = ''
  #between = '\n'

  /** @param about fields between the schema and the items. */
  head(about: { readonly [key: string]: Json }): void {
    this.out.ascii(`${asciiJson({ schema: DECODE_SCHEMA, ...about }).slice(0, -1)},"items":[`)
  }

  /** @param fields at least one. */
  begin(fields: { readonly [key: string]: Json }): void {
    this.out.ascii(`${this.#end}${this.#between}${asciiJson(fields).slice(0, -1)}`)
    this.#end = '}'
    this.#between = ',\n'
  }

  /** Begins a field of the open item; its value is to be written to `out`. */
  field(name: string): TextOut {
    this.out.ascii(`,"${name}":`)
    return this.out
  }

  end(): void {
    this.out.ascii(`${this.#end}\n]}\n`)
  }
}
