import type { BackendContribution, Plugin } from '@xen-replication/plugin-api'

/** The backend that a plugin brings. */
export function collectPlugin(plugin: Plugin): BackendContribution {
  const found: BackendContribution[] = []
  const ignore = (): void => undefined
  plugin.contribute({ backend: (_, what) => found.push(what), transport: ignore, strategy: ignore, arbiter: ignore, observer: ignore })
  return found[0] as BackendContribution
}
