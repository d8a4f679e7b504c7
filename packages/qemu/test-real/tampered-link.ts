import { connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** What is done to a link. */
export type Fault =
  | 'wrong message'
  | 'unknown message'
  | 'short devices'
  | 'silence in memory'
  | 'cut in memory'
  | 'cut in devices'
  | 'wrong answer'
  | 'unknown answer'
  | 'cut between two checkpoints'

const REQUEST = Buffer.from('00000001', 'hex')
const REPLY = Buffer.from('00000002', 'hex')
/** End of the memory (section 2), and the message behind it; the length of the devices follows. */
const BEFORE_SIZE = Buffer.from('7e000000020000000004', 'hex')

/** What goes on in place of some bytes; undefined: nothing more, ever; with `cut` the connection ends behind them. */
type Change = { readonly bytes: Buffer; readonly cut?: true } | undefined

/**
 * Stands between two QEMUs at unix sockets and does one thing to what they say.
 *
 * @param counts from when on checkpoints count: it is done to the second one
 * @returns whether it was done
 */
export async function tamperedLink(listen: string, to: string, fault: Fault, counts: () => boolean = () => true): Promise<() => boolean> {
  let done = false
  const sockets: Socket[] = []
  const server = createServer((near) => {
    const far = connect(to)
    sockets.push(near, far)
    const cut = (): void => sockets.forEach((socket) => socket.destroy())
    const tamper = tamperer(fault, counts, () => (done = true))
    for (const [from, into, direction] of [[near, far, 'p2s'], [far, near, 's2p']] as const) {
      from.on('error', cut).on('close', cut)
      from.on('data', (bytes) => {
        const change = tamper(direction, bytes)
        if (change === undefined) return
        into.write(change.bytes)
        if (change.cut === true) into.end(cut)
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(listen, resolve))
  onTestFinished(() => {
    sockets.forEach((socket) => socket.destroy())
    server.close()
  })
  return () => done
}

function tamperer(fault: Fault, counts: () => boolean, tell: () => void): (direction: 'p2s' | 's2p', bytes: Buffer) => Change {
  let [requests, past] = [0, Buffer.alloc(0)]
  const now = (change: Change): Change => {
    tell()
    return change
  }
  const behindRequest = (bytes: Buffer): Change => {
    const before = past.length
    past = Buffer.concat([past, bytes])
    if (fault === 'silence in memory' && past.length > 50_000) return now(undefined)
    if (fault === 'cut in memory' && past.length > 50_000) return now({ bytes, cut: true })
    const size = past.indexOf(BEFORE_SIZE) + BEFORE_SIZE.length
    if (size < BEFORE_SIZE.length || past.length < size + 8 || before > size) return { bytes }
    if (fault === 'cut in devices') return now({ bytes: past.subarray(before, size + 8 + 1000), cut: true })
    if (fault !== 'short devices') return { bytes }
    past.writeBigUInt64BE(100n, size)
    return now({ bytes: past.subarray(before) })
  }
  return (direction, bytes) => {
    if (direction === 's2p') {
      if (requests < 2 || !bytes.equals(REPLY)) return { bytes }
      if (fault === 'wrong answer') return now({ bytes: Buffer.from('00000005', 'hex') })
      return fault === 'unknown answer' ? now({ bytes: Buffer.from('00000009', 'hex') }) : { bytes }
    }
    if (requests < 2 && bytes.equals(REQUEST) && counts()) {
      requests++
      if (requests < 2) return { bytes }
      if (fault === 'wrong message') return now({ bytes: Buffer.from('00000006', 'hex') })
      if (fault === 'unknown message') return now({ bytes: Buffer.from('00000009', 'hex') })
      return fault === 'cut between two checkpoints' ? now({ bytes: Buffer.alloc(0), cut: true }) : { bytes }
    }
    return requests === 2 ? behindRequest(bytes) : { bytes }
  }
}
