import type { Json } from '../bytes/field.ts'
import { FormatError } from '../format-error.ts'

/** An item of the document, or a part of one. */
export type JsonObject = { readonly [key: string]: Json }

/** @throws FormatError FMT_JSON for a field that items of this kind do not have: most likely a slip of the pen. */
export function onlyFields(item: JsonObject, names: readonly string[]): void {
  const other = Object.keys(item).find((name) => name !== 'kind' && !names.includes(name))
  if (other === undefined) return
  throw new FormatError('FMT_JSON', `${other}: there is no such field here`, { hint: `it may have ${names.join(', ')}` })
}
