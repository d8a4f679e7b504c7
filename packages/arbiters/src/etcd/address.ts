import { ArbiterError } from '../arbiter-error.ts'

/** What `etcd://HOST:PORT[,HOST:PORT…]/KEY?name=value` says. */
export interface EtcdAddress {
  readonly endpoints: readonly { readonly host: string; readonly port: number }[]
  /** Every key is below it; no slash at its end. */
  readonly key: string
  readonly tls: boolean
  /** Files in PEM. */
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly keyFile: string | undefined
  readonly servername: string | undefined
  readonly user: string | undefined
  /** A file, so that a password is in no list of processes. */
  readonly passwordFile: string | undefined
  readonly timeoutMs: number
}

const known = ['tls', 'ca', 'cert', 'key', 'servername', 'user', 'password-file', 'timeout'] as const
type Option = (typeof known)[number]

/** Time for a leader to be elected anew is not in it: `unknown` comes first, and is asked again. */
const TIMEOUT_MS = 3000

/** @throws ArbiterError ARBITER_ADDRESS */
export function etcdAddress(url: string): EtcdAddress {
  const [, hosts, key, query] = /^etcd:\/\/([^/?#]+)\/([^?#]*)(?:\?([^#]*))?$/.exec(url) ?? []
  if (hosts === undefined || key === undefined) throw malformed(url, 'is not as it should be', 'write etcd://HOST:PORT/KEY, more of HOST:PORT separated by commas')
  const options = optionsOf(url, query ?? '')
  const path = decoded(url, key).replace(/\/+$/, '')
  if (path === '') throw malformed(url, 'names no key', 'write one after the port: etcd://HOST:PORT/xr')
  const files = { ca: options.get('ca'), cert: options.get('cert'), keyFile: options.get('key') }
  if ((files.cert === undefined) !== (files.keyFile === undefined)) throw malformed(url, 'needs cert and key together', 'give both, or none')
  const [user, passwordFile] = [options.get('user'), options.get('password-file')]
  if ((user === undefined) !== (passwordFile === undefined)) throw malformed(url, 'needs user and password-file together', 'give both, or none')
  return {
    endpoints: hosts.split(',').map((host) => endpointOf(url, host)),
    key: path,
    tls: yes(url, options.get('tls')) || options.get('ca') !== undefined || options.get('cert') !== undefined,
    ...files,
    servername: options.get('servername'),
    user,
    passwordFile,
    timeoutMs: milliseconds(url, options.get('timeout')),
  }
}

function endpointOf(url: string, text: string): { readonly host: string; readonly port: number } {
  const [, host, port] = /^(\[[0-9a-fA-F:.]+\]|[^:[\]@]+):(\d{1,5})$/.exec(text) ?? []
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) throw malformed(url, `has '${text}' where a host and a port belong`, 'write HOST:PORT, an IPv6 address in brackets')
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
}

function optionsOf(url: string, query: string): ReadonlyMap<Option, string> {
  const options = new Map<Option, string>()
  for (const part of query.split('&').filter((part) => part !== '')) {
    const at = part.indexOf('=')
    const name = known.find((one) => one === part.slice(0, at))
    if (name === undefined || options.has(name)) throw malformed(url, `has '${part}', which is not an option or is there twice`, `known: ${known.map((one) => `${one}=…`).join(', ')}`)
    options.set(name, decoded(url, part.slice(at + 1)))
  }
  return options
}

function yes(url: string, text: string | undefined): boolean {
  if (text === undefined || text === '1' || text === '0') return text === '1'
  throw malformed(url, `has tls=${text}`, 'write tls=1')
}

function milliseconds(url: string, text: string | undefined): number {
  if (text === undefined) return TIMEOUT_MS
  const number = Number(/^(\d{1,6})(?:ms)?$/.exec(text)?.[1])
  if (number >= 1) return number
  throw malformed(url, `has timeout=${text}`, 'give milliseconds, 3000 for instance')
}

function decoded(url: string, text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw malformed(url, 'has a percent sign that stands for nothing', 'write %25 for a percent sign')
  }
}

const malformed = (url: string, what: string, hint: string): ArbiterError => new ArbiterError('ARBITER_ADDRESS', `'${url}' ${what}`, { hint })
