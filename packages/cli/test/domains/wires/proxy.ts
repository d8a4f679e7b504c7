import { createConnection, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { scratch } from '../../run-xr.ts'

/** Stands between two processes, counts, and breaks links. */
export interface Proxy {
  readonly url: string
  /** Bytes that came from who dials, over all links. */
  readonly forth: () => number
  /** Links that were made. */
  readonly links: () => number
}

/**
 * Passes on what comes to the socket of `to`.
 *
 * @param cuts bytes from who dials after which the link is broken, all links together.
 */
export async function proxyTo(to: string, cuts: readonly number[] = []): Promise<Proxy> {
  const path = join(scratch(), 'p')
  const left = [...cuts]
  const open = new Set<Socket>()
  let [forth, links] = [0, 0]
  const server = createServer({ allowHalfOpen: true }, (near) => {
    links += 1
    const far = createConnection({ path: to.slice(5), allowHalfOpen: true })
    const cut = (): void => [near, far].forEach((one) => void one.destroy())
    for (const one of [near, far]) {
      open.add(one)
      one.on('error', cut).on('close', () => (open.delete(one), cut()))
    }
    far.on('data', (chunk) => near.write(chunk)).on('end', () => near.end())
    near.on('end', () => far.end()).on('data', (chunk) => {
      forth += chunk.length
      if (left[0] === undefined || forth < left[0]) {
        if (!far.write(chunk)) pauseUntilDrained(near, far)
        return
      }
      left.shift()
      cut()
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  onTestFinished(() => {
    server.close()
    for (const one of open) one.destroy()
  })
  return { url: `unix:${path}`, forth: () => forth, links: () => links }
}

function pauseUntilDrained(near: Socket, far: Socket): void {
  near.pause()
  far.once('drain', () => near.resume())
}
