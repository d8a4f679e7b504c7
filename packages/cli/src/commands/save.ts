import { usageError } from '../cli-error.ts'
import { fateText } from '../domains/fate-text.ts'
import { dialOption, givenLinkOption, linkOptions, linkOptionsOf, patienceOf } from '../domains/link-options.ts'
import { withToolstack } from '../domains/with-toolstack.ts'
import { exitCodes } from '../exit-codes.ts'
import { writeDocument } from '../output/json.ts'
import { bytesText, durationText } from '../output/units.ts'
import { switchOption, textOption, type OptionValues, type Verb } from './command.ts'

export const verb: Verb = {
  args: [
    { name: 'DOM', what: 'id, name or UUID of a guest' },
    { name: 'FILE', what: 'the image to write, or a URL to send it to' },
  ],
  options: [
    { flags: '-c', what: 'let the guest run on' },
    { flags: '-p', what: 'leave the guest paused' },
    { flags: '--compact', what: 'leave out what is no memory of the guest; Xen restores that as well, but writes no such images itself' },
    { flags: '--peer <WHO>', what: 'what is at the other end of a URL: `raw`, whatever takes bytes; `xr`, an `xr receive --to FILE`', choices: ['raw', 'xr'], standard: 'raw' },
    ...linkOptions,
    dialOption,
  ],
  host: true,
  lines: true,
  about: [
    'Saves a guest as `xl save` does: it is suspended, its state is written, and it is destroyed unless -c or -p is given. `xr restore` and `xl restore` take the image.',
    'With --peer xr the image goes to an `xr receive --to FILE` on another host: a link that is lost is made again and what is there is not sent twice, and the guest is destroyed when the other side has said that the image is whole and on its disk. With a raw URL nobody says so: use -c, or send it to `xr restore` or a file.',
    'FILE is written beside its place and put there when it is whole and on the disk; only then is the guest destroyed. When anything fails before, the guest runs on and nothing is left behind.',
  ],
  examples: [
    ['xr save demo /srv/demo.xl', 'demo is on the disk and no longer runs'],
    ['xr save -c demo tcp://backup:9000', 'a copy, for `xr restore tcp://0.0.0.0:9000` on backup'],
    ['xr save --peer xr demo tcp://backup:9000', 'to `xr receive --to demo.xl tcp://0.0.0.0:9000` on backup'],
  ],
  run: async (ctx, [dom = '', file = ''], options) => {
    const how = { then: afterwards(options), compact: switchOption(options, 'compact'), peer: peerOf(file, options), link: linkOptionsOf(options), patienceMs: patienceOf(options) }
    return withToolstack(ctx, options, async ({ stack, T, urlOf }) => {
      const began = ctx.now()
      const save = await stack.get(T.save)
      const saved = await save({ dom, url: await urlOf(file), ...how }, ctx.signal)
      const { guest, bytes, stoodMs, fate } = saved
      const seconds = (ctx.now() - began) / 1000
      if (ctx.json) await writeDocument(ctx.stdout, 'xr.save/1', { guest, file, bytes, stoodMs, fate, seconds })
      else if (!ctx.jsonl) await ctx.stdout.write(`${file}: ${guest}, ${bytesText(bytes)}; it stood for ${durationText(stoodMs)}, now ${fateText(guest, 'source', fate)}\n`)
      return exitCodes.done
    })
  },
}

/** @throws CliError CLI_USAGE */
function peerOf(file: string, options: OptionValues): 'raw' | 'xr' {
  const isXr = textOption(options, 'peer') === 'xr'
  const forXr = givenLinkOption(options)
  if (!isXr && forXr !== undefined) throw usageError(`${forXr} has a meaning only between two xr`, 'add --peer xr, or leave it out')
  if (isXr && !/^(?!file:)[a-z][a-z0-9+.-]*:/.test(file)) throw usageError(`--peer xr: '${file}' is no URL of another host`, 'leave out --peer xr to write a file')
  return isXr ? 'xr' : 'raw'
}

function afterwards(options: OptionValues): 'destroy' | 'resume' | 'pause' {
  const [resume, pause] = [switchOption(options, 'c'), switchOption(options, 'p')]
  if (resume && pause) throw usageError('-c and -p exclude each other', 'give one of them')
  return resume ? 'resume' : pause ? 'pause' : 'destroy'
}
