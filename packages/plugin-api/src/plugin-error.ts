import { XrError, type ErrorDetail } from '@xen-replication/errors'

/** What each code about plugins means; `docs/errors.md` is made from it. */
export const pluginCodes = {
  PLUGIN_API: 'The plugin was made for another version of the plugin interface.',
  PLUGIN_MALFORMED: 'A plugin or one of its contributions lacks something or has a name that is not allowed.',
  PLUGIN_NOT_FOUND: 'No package of that name is installed, or it contains no plugin.',
  PLUGIN_LOAD: 'The package of a plugin fails while it is loaded.',
  PLUGIN_DUPLICATE: 'Two plugins contribute something of one kind under one name.',
  PLUGIN_NO_BACKEND: 'No plugin contributes a backend of that name.',
  PLUGIN_NO_TRANSPORT: 'No plugin contributes a transport for URLs of that scheme.',
  PLUGIN_NO_STRATEGY: 'No plugin contributes a strategy of that name.',
  PLUGIN_NO_ARBITER: 'No plugin contributes an arbiter for URLs of that scheme.',
  PLUGIN_UNMET: 'A contribution needs something that the chosen backend cannot do.',
} as const

export type PluginErrorCode = keyof typeof pluginCodes

/** A plugin cannot be used, or what was asked for is in none. */
export class PluginError extends XrError<PluginErrorCode> {
  override readonly name = 'PluginError'

  constructor(code: PluginErrorCode, what: string, detail: ErrorDetail = {}) {
    super(code, what, detail)
  }
}
