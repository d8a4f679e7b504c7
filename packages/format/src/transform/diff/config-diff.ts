import type { Json } from '../../bytes/field.ts'
import { parseConfig } from '../../xl/config-json.ts'
import { configOf } from '../../xl/optional-block.ts'
import { utf8OfBytes } from '../../xl/utf8.ts'

/** A configuration for comparing: JSON as the values it holds, an xl.cfg as its lines, undefined when there is none. @param block of the `xl` file. */
export function configTree(block: Uint8Array | undefined): Json | undefined {
  const config = configOf(block)
  if (config === undefined) return undefined
  const text = utf8OfBytes(config)
  return (parseConfig(text) as Json | undefined) ?? text.split('\n')
}
