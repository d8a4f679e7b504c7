// A TCP link between two xr that can be made worse. What does not get through waits, as with TCP, unless the link is cut.
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const PASSES = Object.freeze({ blocked: false, delayMs: 0, bytesPerMs: Infinity })

/** @param to port of the one who waits. @returns port, and what can be done to what goes `there` and `back` */
export async function openLink(to) {
  const ways = { there: { ...PASSES }, back: { ...PASSES } }
  let closed = false
  const sockets = new Set()
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port: to, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    near.setNoDelay(true)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    }
    carry(near, far, ways.there, () => closed)
    carry(far, near, ways.back, () => closed)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: server.address().port,
    /** @param way there, back or both */
    set: (way, change) => {
      for (const one of way === 'both' ? ['there', 'back'] : [way]) Object.assign(ways[one], change)
    },
    /** Both sides see a reset. */
    reset: () => {
      for (const socket of sockets) socket.resetAndDestroy()
    },
    /** Both sides see an orderly end. */
    end: () => {
      for (const socket of sockets) socket.end()
    },
    close: () => {
      closed = true
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** Chunks go one after the other, each not before its time. What the end of the connection is goes the same way. */
function carry(from, into, way, isClosed) {
  let before = Promise.resolve()
  const after = (bytes, then) => {
    const due = performance.now() + way.delayMs + bytes / way.bytesPerMs
    before = before.then(async () => {
      while (!isClosed() && (way.blocked || performance.now() < due)) await sleep(way.blocked ? 5 : Math.max(0, due - performance.now()))
      then()
    })
    return before
  }
  from.on('data', (chunk) => {
    from.pause()
    after(chunk.length, () => {
      into.write(chunk)
    })
    if (!way.blocked) from.resume()
    else void before.then(() => from.resume())
  })
  from.on('end', () => after(0, () => into.end()))
  from.on('error', () => after(0, () => into.resetAndDestroy()))
}
