import type { Field, Json } from '../bytes/field.ts'
import { asObject } from '../bytes/struct.ts'
import { FormatError } from '../format-error.ts'

/**
 * One byte of bit fields.
 *
 * @param widths bits of each, lowest first; they add up to 8, so no bit is lost.
 */
export function bits<const W extends Readonly<Record<string, number>>>(widths: W): Field<{ readonly [K in keyof W]: number }> {
  type Value = { readonly [K in keyof W]: number }
  let from = 0
  const parts = Object.entries(widths).map(([key, width]) => {
    const part = { key, from, top: (1 << width) - 1 }
    from += width
    return part
  })
  if (from !== 8) throw new TypeError(`the bits add up to ${from}, a byte has 8`)
  return {
    size: 1,
    get: (view, at) => Object.fromEntries(parts.map((p) => [p.key, (view.getUint8(at) >> p.from) & p.top])) as Value,
    set: (view, at, value) => view.setUint8(at, parts.reduce((byte, p) => byte | ((value[p.key] as number) << p.from), 0)),
    toJson: (value) => value,
    fromJson: (json) => {
      const object = asObject(json)
      return Object.fromEntries(parts.map((p) => [p.key, within(p.top, object[p.key])])) as Value
    },
  }
}

function within(top: number, json: Json | undefined): number {
  if (typeof json === 'number' && Number.isInteger(json) && json >= 0 && json <= top) return json
  throw new FormatError('FMT_JSON', `an integer from 0 to ${top} wanted, ${JSON.stringify(json) ?? 'nothing'} found`)
}
