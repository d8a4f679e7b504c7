import { LinkError, type AbortSignalLike, type Channel, type Transport } from '@xen-replication/plugin-api'
import { singleListener } from './channel/single-listener.ts'
import { commandChannel } from './exec.ts'
import { decoded } from './url/address.ts'

/** What runs at the other end unless the URL says otherwise. */
const REMOTE_COMMAND = 'xr receive -'

/**
 * `ssh://[USER@]HOST[:PORT][/COMMAND]`, percent signs undone in COMMAND. No shell on this side sees any of it; the one at the other end gets
 * COMMAND as it is, as with ssh itself.
 */
export function sshTransport({ env }: { readonly env: NodeJS.ProcessEnv }): Transport {
  const run = (url: string, signal: AbortSignalLike): Promise<Channel> => commandChannel(url, { program: 'ssh', args: sshArguments(url), env }, signal)
  return {
    duplex: true,
    dial: async (url, signal) => run(url, signal),
    listen: async (url, signal) => singleListener(url, await run(url, signal)),
  }
}

/**
 * What ssh is called with.
 *
 * @throws LinkError LINK_ADDRESS
 */
export function sshArguments(url: string): readonly string[] {
  const match = /^ssh:\/\/(?:([^@/?#[\]]+)@)?(\[[0-9A-Fa-f:.]+(?:%[\w.-]+)?\]|[^:/?#@[\]]+)(?::(\d{1,5}))?(?:\/(.*))?$/s.exec(url)
  const [, user, host, port, command] = match ?? []
  if (host === undefined) throw new LinkError('LINK_ADDRESS', `'${url}' does not name a host`, { hint: 'write ssh://USER@HOST:PORT/COMMAND' })
  const name = host.replace(/^\[|\]$/g, '')
  for (const word of [name, user ?? '']) {
    if (!/^[^-\s\p{Cc}][^\s\p{Cc}]*$|^$/u.test(word)) {
      throw new LinkError('LINK_ADDRESS', `'${url}': '${word}' is not the name of a host or user`, { hint: 'names begin with a letter or digit' })
    }
  }
  const remote = command === undefined || command === '' ? REMOTE_COMMAND : decoded(url, command)
  if (remote.includes('\0')) throw new LinkError('LINK_ADDRESS', `'${url}' has a command that no system can run`)
  return ['-T', '-e', 'none', ...(user === undefined ? [] : ['-l', user]), ...(port === undefined ? [] : ['-p', port]), '--', name, remote]
}
