import { createServer, type Server } from 'node:http'
import type { Registry } from 'prom-client'
import { ObserverError } from '../observer-error.ts'

/** Scrapers at a time, and how long one may take to ask, in milliseconds. */
const CONNECTIONS_MAX = 16
const REQUEST_MS = 5000
const HEADER_BYTES_MAX = 8192

/** Where metrics can be fetched. */
export interface MetricsListener {
  /** The port that was taken. */
  readonly port: number
  close(): Promise<void>
}

/**
 * Answers `GET /metrics` at an address, and nothing else. It keeps no process alive.
 *
 * @param address HOST:PORT; IPv6 in brackets; port 0 takes one that is free
 * @throws ObserverError OBSERVER_METRICS
 */
export async function listenForMetrics(address: string, registry: Registry): Promise<MetricsListener> {
  const { host, port } = parseAddress(address)
  const server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, maxHeaderSize: HEADER_BYTES_MAX }, (request, response) => {
    const path = (request.url ?? '').split('?')[0]
    if (path !== '/metrics') return void response.writeHead(404).end('metrics are at /metrics\n')
    if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405, { allow: 'GET, HEAD' }).end()
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType, 'cache-control': 'no-store' }).end(request.method === 'HEAD' ? undefined : text),
      () => response.writeHead(500).end(),
    )
  })
  server.maxConnections = CONNECTIONS_MAX
  await listening(server, host, port, address)
  server.unref()
  server.on('connection', (socket) => socket.unref())
  server.on('error', () => undefined) // what is looked at goes on
  const taken = server.address()
  return {
    port: typeof taken === 'object' && taken !== null ? taken.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function parseAddress(address: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, digits = ''] = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(address) ?? []
  const host = bracketed ?? plain
  const port = Number(digits)
  if (host === undefined || port > 65_535) throw new ObserverError('OBSERVER_METRICS', `metrics: '${address}' is no address to listen at`, { hint: 'HOST:PORT, as in 127.0.0.1:9898 or [::1]:9898' })
  return { host, port }
}

function listening(server: Server, host: string, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(new ObserverError('OBSERVER_METRICS', `nobody can be served metrics at ${address}: ${cause.message}`, { cause, hint: 'name an address of this host with a free port; each xr needs its own' })))
    server.listen({ host, port, exclusive: true }, resolve)
  })
}
