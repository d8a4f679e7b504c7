import { definePlugin, type Plugin } from '@xen-replication/plugin-api'
import { execTransport } from './exec.ts'
import { fdTransport } from './fd.ts'
import { fileTransport } from './file.ts'
import { sshTransport } from './ssh.ts'
import { tcpTransport } from './tcp.ts'
import { tlsTransport, type TlsFiles } from './tls.ts'
import { unixTransport } from './unix.ts'

export interface TransportOptions {
  /** How long to wait for an answer to a call, in milliseconds. */
  readonly connectTimeoutMs?: number
  /** Files for tls:// URLs that do not name their own. */
  readonly tls?: TlsFiles
  /** Environment of commands. */
  readonly env?: NodeJS.ProcessEnv
}

/** Long enough for a name to be looked up and a packet to be lost three times. */
const CONNECT_TIMEOUT_MS = 10_000

/** The plugin that contributes file, fd, tcp, tls, unix, exec and ssh. */
export function transports({ connectTimeoutMs = CONNECT_TIMEOUT_MS, tls = {}, env = process.env }: TransportOptions = {}): Plugin {
  return definePlugin({
    name: '@xen-replication/transports',
    api: 1,
    contribute: (to) => {
      to.transport('file', fileTransport())
      to.transport('fd', fdTransport())
      to.transport('tcp', tcpTransport({ connectTimeoutMs }))
      to.transport('tls', tlsTransport({ connectTimeoutMs, files: tls }))
      to.transport('unix', unixTransport({ connectTimeoutMs }))
      to.transport('exec', execTransport({ env }))
      to.transport('ssh', sshTransport({ env }))
    },
  })
}
