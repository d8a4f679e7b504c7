import type { MigrateRequest } from '@xen-replication/toolstack'
import { usageError } from '../cli-error.ts'
import { dialOption, givenLinkOption, linkOptions, linkOptionsOf, patienceOf } from '../domains/link-options.ts'
import { observerOptions } from '../domains/observer-options.ts'
import { withToolstack } from '../domains/with-toolstack.ts'
import { exitCodes } from '../exit-codes.ts'
import { writeDocument } from '../output/json.ts'
import { bytesText, durationText } from '../output/units.ts'
import { switchOption, textOption, type OptionValues, type Verb } from './command.ts'

export const verb: Verb = {
  args: [
    { name: 'DOM', what: 'id, name or UUID of a guest' },
    { name: 'URL', what: 'where the other host waits: tcp://HOST:PORT, tls://HOST:PORT, unix:PATH, ssh://HOST, exec:COMMAND' },
  ],
  options: [
    { flags: '--live', what: 'move the guest while it runs, as is done anyway' },
    { flags: '--stopped', what: 'have the guest stand while its memory is sent' },
    { flags: '--debug', what: 'send all memory twice and have the other side compare; show where in the program an error came from' },
    { flags: '--peer <WHO>', what: 'what runs at the other end: `xr receive`, or `xl migrate-receive`', choices: ['xr', 'xl'], standard: 'xr' },
    ...linkOptions,
    dialOption,
    ...observerOptions,
  ],
  host: true,
  lines: true,
  about: [
    'Moves a guest to another host, where `xr receive` waits, while it runs: memory is sent round by round, then the guest is suspended for what is left. It runs on the other host afterwards and is gone from here.',
    'When anything fails, the guest runs on here and nothing of it is left there; both sides say why. Only when the link breaks in the moment of the hand-over, and stays broken, can nobody know where the guest runs: it stands still here then, and the error says what to do.',
    'ssh://HOST starts `xr receive -` there, or with --peer xl `xl migrate-receive`. Exit status: 5 when the other side is lost or does not answer.',
  ],
  examples: [
    ['xr migrate demo tcp://backup:9000', 'to `xr receive tcp://0.0.0.0:9000` on backup'],
    ['xr migrate demo ssh://backup', 'xr is started there'],
    ['xr migrate --peer xl demo ssh://backup', 'to a host that has xl'],
  ],
  run: async (ctx, [dom = '', url = ''], options) => {
    const request = requestOf(dom, url, options)
    return withToolstack(ctx, options, async ({ stack, T }) => {
      const began = ctx.now()
      const { guest, bytes, stoodMs } = await (await stack.get(T.migrate))(request, ctx.signal)
      const seconds = (ctx.now() - began) / 1000
      if (ctx.json) await writeDocument(ctx.stdout, 'xr.migrate/1', { guest, url: request.url, bytes, stoodMs, seconds })
      else if (!ctx.jsonl) await ctx.stdout.write(`${guest} runs at ${request.url}, ${bytesText(bytes)} in ${durationText(seconds * 1000)}; it stood for ${durationText(stoodMs)}\n`)
      return exitCodes.done
    })
  },
}

function requestOf(dom: string, url: string, options: OptionValues): MigrateRequest {
  const [live, stopped, verify] = [switchOption(options, 'live'), switchOption(options, 'stopped'), switchOption(options, 'debug')]
  if (live && stopped) throw usageError('--live and --stopped exclude each other', 'give one of them')
  const peer = textOption(options, 'peer') === 'xl' ? 'xl' : 'xr'
  const forXr = givenLinkOption(options)
  if (peer === 'xl' && forXr !== undefined) throw usageError(`${forXr} has no meaning for xl`, 'leave it out')
  return {
    dom,
    url: peer === 'xl' ? withXl(url) : url,
    peer,
    mode: stopped ? 'stopped' : 'live',
    verify,
    link: linkOptionsOf(options),
    patienceMs: patienceOf(options),
  }
}

/** What `xl migrate` starts at the other end. */
const withXl = (url: string): string => (/^ssh:\/\/[^/]+\/?$/.test(url) ? `${url.replace(/\/$/, '')}/xl%20migrate-receive` : url)
