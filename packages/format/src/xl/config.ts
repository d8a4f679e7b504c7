import { contentOfJson, parseConfig } from './config-json.ts'
import type { ConfigContent } from './config-content.ts'
import { contentOfText } from './config-text.ts'
import { utf8OfBytes } from './utf8.ts'

/** `json` is libxl's own form, `text` that of an xl.cfg, which an administrator writes. */
export type ConfigKind = 'json' | 'text'

/** The configuration that `xl save` puts in front of the stream. */
export interface ConfigSummary extends ConfigContent {
  /** `unreadable`: it ought to be JSON and is not. */
  readonly kind: ConfigKind | 'unreadable'
  readonly bytes: number
}

/**
 * What a configuration says of its domain. It is not trusted: nothing in it makes this fail.
 *
 * @param config without the NUL at its end.
 * @param kind as the header's flag says.
 */
export function summariseConfig(config: Uint8Array, kind: ConfigKind): ConfigSummary {
  const text = utf8OfBytes(config)
  const bytes = config.length
  if (kind === 'text') return { kind, bytes, ...contentOfText(text) }
  const json = parseConfig(text)
  return { kind: typeof json === 'object' && json !== null ? kind : 'unreadable', bytes, ...contentOfJson(json) }
}
