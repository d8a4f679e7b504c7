import { summariseJson } from './config-json.ts'
import type { ConfigSummary } from './config-summary.ts'
import { summariseText } from './config-text.ts'

/** Whether a configuration is libxl's JSON or the text of an xl.cfg, by how it begins. */
export const configKind = (text: string): ConfigSummary['kind'] => (text.trimStart().startsWith('{') ? 'json' : 'text')

/**
 * What a configuration says of its domain. The text is not trusted: nothing in it makes this fail.
 *
 * @param text the configuration of an `xl` file; a NUL at its end is passed over.
 */
export function summariseConfig(text: string): ConfigSummary {
  const config = text.endsWith('\0') ? text.slice(0, -1) : text
  return configKind(config) === 'json' ? summariseJson(config) : summariseText(config)
}
