import { execFileSync } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { scratch } from '../../run-xr.ts'
import { socket } from './two-hosts.ts'

/** A certificate for localhost that is its own authority. */
function certificate(): string {
  const folder = scratch()
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  execFileSync('openssl', made, { stdio: 'pipe' })
  return `ca=${cert}&cert=${cert}&key=${key}`
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** An address of each kind of network at which nobody listens yet. */
export const links: Readonly<Record<string, () => Promise<string>>> = {
  unix: () => Promise.resolve(socket()),
  tcp: async () => `tcp://127.0.0.1:${await freePort()}`,
  tls: async () => `tls://127.0.0.1:${await freePort()}?${certificate()}`,
}
