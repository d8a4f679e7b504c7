import type { Json } from '../../bytes/field.ts'
import { configKind } from '../../xl/config.ts'
import { xlBlock } from '../../xl/optional-block.ts'
import { utf8OfBytes } from '../../xl/utf8.ts'
import type { Headers } from '../snapshot.ts'

/** A configuration's bytes without the NUL that ends JSON; undefined when the image has none. */
export function configOf({ block }: Pick<Headers, 'block'>): Uint8Array | undefined {
  if (block === undefined || block.length < 4) return undefined
  const stated = new DataView(block.buffer, block.byteOffset).getUint32(0, true)
  const config = stated <= block.length - 4 ? xlBlock.decode(block).config : block.subarray(4)
  const end = config.at(-1) === 0 ? config.length - 1 : config.length
  return end === 0 ? undefined : config.subarray(0, end)
}

/** A configuration for comparing: JSON as the values it holds, an xl.cfg as its lines, undefined when there is none. */
export function configTree(headers: Pick<Headers, 'block'>): Json | undefined {
  const bytes = configOf(headers)
  if (bytes === undefined) return undefined
  const text = utf8OfBytes(bytes)
  const json = configKind(text) === 'json' ? parsed(text) : undefined
  return json ?? text.split('\n')
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}
