import type { SimProcess } from '../time/sim-process.ts'
import type { VirtualTime } from '../time/virtual-time.ts'
import { Endpoint } from './endpoint.ts'
import type { Network } from './network.ts'
import { Pipe, type Segment } from './pipe.ts'

/** A TCP connection between the two hosts. */
export interface Connection {
  readonly a: Endpoint
  readonly b: Endpoint
  /** Told of everything that arrives. */
  onArrival: (to: 'a' | 'b', segment: Segment) => void
  /** The connection is no more, for both or for one only: the other one finds out when it sends. */
  cut(who: 'both' | 'a' | 'b', keep: number): void
  /** A host loses its power: nothing comes from it any more, and nobody says so. */
  dead(host: 'a' | 'b', keep: number): void
}

export function connect(processes: { readonly a: SimProcess; readonly b: SimProcess }, time: VirtualTime, network: Network): Connection {
  const pipes = { a: new Pipe(time, network, 'a', 'b'), b: new Pipe(time, network, 'b', 'a') }
  const ends = { a: new Endpoint(processes.a, pipes.a), b: new Endpoint(processes.b, pipes.b) }
  const dead = new Set<'a' | 'b'>()
  const arrive = (to: 'a' | 'b', segment: Segment): void => {
    if (dead.has(to)) return
    connection.onArrival(to, segment)
    ends[to].deliver(segment)
  }
  const tear = (from: 'a' | 'b', keep: number): void => {
    const part = pipes[from].tear(keep)
    if (part !== undefined) arrive(from === 'a' ? 'b' : 'a', part)
  }
  const connection: Connection = {
    ...ends,
    onArrival: () => undefined,
    cut: (who, keep) => {
      if (who !== 'b') tear('a', keep)
      if (who !== 'a') tear('b', keep)
      if (who !== 'b') ends.a.lose()
      if (who !== 'a') ends.b.lose()
    },
    dead: (host, keep) => {
      tear(host, keep)
      dead.add(host)
    },
  }
  pipes.a.onArrival = (segment) => arrive('b', segment)
  pipes.b.onArrival = (segment) => arrive('a', segment)
  return connection
}
