import { LinkError, type Transport } from '@xen-replication/plugin-api'
import { readFileSync } from 'node:fs'
import { isIP, type Socket } from 'node:net'
import { connect, createSecureContext, createServer } from 'node:tls'
import { dialled } from './channel/dialled.ts'
import { refusal } from './channel/link-failure.ts'
import { listening, ServerListener } from './channel/server-listener.ts'
import { socketChannel } from './channel/socket-channel.ts'
import { boundPort, KEEP_ALIVE_MS, socketOptions } from './tcp.ts'
import { addressOf, hostAndPort } from './url/address.ts'

/** Files that a URL without such options uses. */
export interface TlsFiles {
  /** Authorities that may vouch for the peer, PEM. */
  readonly ca?: string
  /** Our certificate and its chain, PEM. */
  readonly cert?: string
  /** Its private key, PEM. */
  readonly key?: string
}

export interface TlsOptions {
  readonly connectTimeoutMs: number
  readonly files: TlsFiles
}

const OPTIONS = ['ca', 'cert', 'key', 'servername', 'insecure']

/**
 * `tls://HOST:PORT?ca=FILE&cert=FILE&key=FILE&servername=NAME`, TLS 1.2 or later. Peers are verified both ways: a listener asks for a
 * certificate that `ca` vouches for, a dialler takes the system's authorities when there is no `ca`. `insecure=1` takes any peer.
 */
export function tlsTransport({ connectTimeoutMs, files }: TlsOptions): Transport {
  return {
    duplex: true,
    dial: async (url, signal) => {
      const { host, port, identity, insecure, servername } = settingsOf(url, files)
      const pem = pemOf(url, identity)
      const call = (): Socket =>
        connect({ ...socketOptions, host, port, ...pem, minVersion: 'TLSv1.2', rejectUnauthorized: !insecure, ...(servername === undefined ? {} : { servername }) })
          .setKeepAlive(true, KEEP_ALIVE_MS)
      return dialled(call, { where: url, signal, timeoutMs: connectTimeoutMs, ready: 'secureConnect' }, (ready) => socketChannel(ready, url, 'hang-up'))
    },
    listen: async (url, signal) => {
      const { host, port, identity, insecure } = settingsOf(url, files)
      requireServer(url, identity, insecure)
      const server = createServer({
        ...socketOptions, ...pemOf(url, identity), minVersion: 'TLSv1.2', handshakeTimeout: connectTimeoutMs,
        keepAliveInitialDelay: KEEP_ALIVE_MS, requestCert: !insecure, rejectUnauthorized: !insecure,
      })
      await listening(server, url, signal, () => server.listen({ host, port, exclusive: true }))
      const at = `tls://${hostAndPort(host, boundPort(server))}`
      return new ServerListener({ server, where: at, arrival: 'secureConnection', channel: (socket) => socketChannel(socket, at, 'hang-up') }, at)
    },
  }
}

interface Settings {
  readonly host: string
  readonly port: number
  readonly identity: TlsFiles
  readonly insecure: boolean
  readonly servername: string | undefined
}

function settingsOf(url: string, files: TlsFiles): Settings {
  const { host, port, options } = addressOf(url, OPTIONS)
  const insecure = options.get('insecure')
  if (insecure !== undefined && insecure !== '1') throw new LinkError('LINK_ADDRESS', `'${url}': insecure=${insecure} means nothing`, { hint: 'insecure=1, or leave it out' })
  const identity = { ...files, ...Object.fromEntries([...options].filter(([name]) => name !== 'servername' && name !== 'insecure')) }
  const name = options.get('servername') ?? (isIP(host) === 0 ? host : undefined)
  return { host, port, identity, insecure: insecure === '1', servername: name }
}

function requireServer(url: string, { ca, cert, key }: TlsFiles, insecure: boolean): void {
  if (cert === undefined || key === undefined) {
    throw new LinkError('LINK_ADDRESS', `'${url}': a listener needs a certificate`, { hint: 'give cert=FILE&key=FILE' })
  }
  if (ca === undefined && !insecure) {
    throw new LinkError('LINK_ADDRESS', `'${url}': nothing tells which peers may connect`, { hint: 'give ca=FILE, or insecure=1 to let in anybody' })
  }
}

/** Reads what the user named. @throws LinkError LINK_ADDRESS */
function pemOf(url: string, files: TlsFiles): Readonly<Record<string, string>> {
  const pem = Object.fromEntries(Object.entries(files).map(([name, path]) => [name, readPem(url, String(path))]))
  try {
    createSecureContext(pem) // sockets and servers would say it later, and less clearly
    return pem
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new LinkError('LINK_ADDRESS', `'${url}': certificate or key cannot be used: ${why}`, { cause, hint: 'PEM files; the key has to belong to the certificate' })
  }
}

function readPem(url: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new LinkError('LINK_ADDRESS', refusal(error, `'${url}': ${path}`).message, { cause: error, hint: 'look at ca=, cert= and key=' })
  }
}
