import type { AbortSignalLike, Channel, Listener } from '@xen-replication/plugin-api'
import { closedHere } from './link-failure.ts'
import { onePeerOnly } from './server-listener.ts'

/** A listener for what is there already: a file, a descriptor, a command. */
export function singleListener(url: string, channel: Channel): Listener {
  let state: 'open' | 'taken' | 'closed' = 'open'
  const accept = (signal: AbortSignalLike): Channel => {
    if (signal.aborted) throw signal.reason
    if (state === 'taken') throw onePeerOnly(url)
    if (state === 'closed') throw closedHere(url)
    state = 'taken'
    return channel
  }
  return {
    url,
    accept: (signal) => new Promise((resolve) => resolve(accept(signal))),
    close: async () => {
      if (state === 'open') await channel.close()
      if (state === 'open') state = 'closed'
    },
  }
}
