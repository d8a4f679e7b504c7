import { LinkError } from '@xen-replication/plugin-api'

/** Host, port and options of `tcp://HOST:PORT?name=value`. */
export interface Address {
  /** Without the brackets of an IPv6 address. */
  readonly host: string
  readonly port: number
  readonly options: ReadonlyMap<string, string>
}

/**
 * Takes a URL with host and port apart.
 *
 * @param known names of options that the transport has; others are refused, because a misspelt `insecure` or `ca` must not pass.
 * @throws LinkError LINK_ADDRESS
 */
export function addressOf(url: string, known: readonly string[] = []): Address {
  const match = /^[a-z]+:\/\/(\[[^\]]+\]|[^:/?#[\]]+):(\d{1,5})\/?(?:\?(.*))?$/.exec(url)
  const [, host, port, query] = match ?? []
  if (host === undefined || port === undefined || Number(port) > 65_535) throw malformed(url)
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port), options: optionsOf(url, query ?? '', known) }
}

/** As it is written in a URL. */
export function hostAndPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** What follows the scheme: `unix:/tmp/s`, and `unix:///tmp/s` as well. @throws LinkError LINK_ADDRESS when there is nothing. */
export function pathOf(url: string): string {
  const rest = url.slice(url.indexOf(':') + 1)
  const path = rest.startsWith('///') ? decoded(url, rest.slice(2)) : rest
  if (path === '' || path.includes('\0')) throw new LinkError('LINK_ADDRESS', `'${url}' names no path`, { hint: 'write the path after the colon' })
  return path
}

/** Undoes percent signs. @throws LinkError LINK_ADDRESS */
export function decoded(url: string, text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (cause) {
    throw new LinkError('LINK_ADDRESS', `'${url}' has a percent sign that stands for nothing`, { cause, hint: 'write %25 for a percent sign' })
  }
}

function optionsOf(url: string, query: string, known: readonly string[]): ReadonlyMap<string, string> {
  const options = new Map<string, string>()
  for (const part of query.split('&').filter((part) => part !== '')) {
    const at = part.indexOf('=')
    const name = at < 0 ? part : part.slice(0, at)
    if (!known.includes(name) || options.has(name) || at < 0) {
      throw new LinkError('LINK_ADDRESS', `'${url}': '${part}' is not an option here, or is there twice`, { hint: known.length === 0 ? 'there are none' : `known: ${known.map((one) => `${one}=…`).join(', ')}` })
    }
    options.set(name, decoded(url, part.slice(at + 1)))
  }
  return options
}

function malformed(url: string): LinkError {
  return new LinkError('LINK_ADDRESS', `'${url}' does not name a host and a port`, { hint: 'write HOST:PORT after the //, an IPv6 address in brackets' })
}
