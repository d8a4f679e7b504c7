import type { SocketPlace } from '@xen-replication/qemu'
import { usageError } from '../cli-error.ts'

/** Where a QEMU listens, of `unix:PATH` or `tcp://HOST:PORT`. @throws CliError CLI_USAGE */
export function placeOf(url: string, option: string): SocketPlace {
  const path = /^unix:(?:\/\/)?(.+)$/.exec(url)?.[1]
  if (path !== undefined) return { path }
  const [, bracketed, plain, port] = /^tcp:\/\/(?:\[([0-9A-Fa-f:.]+)\]|([^:/[\]]+)):(\d{1,5})$/.exec(url) ?? []
  const host = bracketed ?? plain
  if (host !== undefined && Number(port) > 0 && Number(port) < 65_536) return { host, port: Number(port) }
  throw usageError(`${option}: '${url}' is no place to listen at`, 'write unix:PATH or tcp://HOST:PORT')
}

/** The same as QEMU writes it: `unix:PATH`, `tcp:HOST:PORT`. */
export function qemuUri(place: SocketPlace): string {
  if ('path' in place) return `unix:${place.path}`
  return `tcp:${place.host.includes(':') ? `[${place.host}]` : place.host}:${place.port}`
}
