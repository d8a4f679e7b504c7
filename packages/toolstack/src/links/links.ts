import type { AbortSignalLike } from '@xen-replication/hypervisor'
import { schemeOf, type Channel, type Listener, type Transport } from '@xen-replication/plugin-api'
import { resolve } from 'node:path'
import type { Collected } from '../plugins/collect-plugins.ts'

/** Ways to other hosts and to files, by URL. */
export interface Links {
  /** @throws PluginError PLUGIN_NO_TRANSPORT; LinkError LINK_ADDRESS when it is no URL */
  transport(url: string): Transport
  /** @throws as `Transport.dial()` and `transport()` */
  dial(url: string, signal: AbortSignalLike): Promise<Channel>
  /** @throws as `Transport.listen()` and `transport()` */
  listen(url: string, signal: AbortSignalLike): Promise<Listener>
  /** What a user typed where a file or a URL may stand: a URL when it begins with `NAME://` or a scheme that is known, else a path. */
  urlOf(fileOrUrl: string, cwd: string): string
}

export function linksOver(collected: Collected): Links {
  const transport = (url: string): Transport => collected.need('transport', schemeOf(url)).what
  const known = new Set(collected.of('transport').map(({ name }) => name))
  return {
    transport,
    dial: async (url, signal) => transport(url).dial(url, signal),
    listen: async (url, signal) => transport(url).listen(url, signal),
    urlOf: (text, cwd) => {
      const [, scheme = '', slashes] = /^([a-z][a-z0-9+.-]*):(\/\/)?/.exec(text) ?? []
      return slashes !== undefined || known.has(scheme) ? text : `file:${resolve(cwd, text)}`
    },
  }
}
