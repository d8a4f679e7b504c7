import { usageError } from '../cli-error.ts'
import { fateText } from '../domains/fate-text.ts'
import { withToolstack } from '../domains/with-toolstack.ts'
import { exitCodes } from '../exit-codes.ts'
import { writeDocument } from '../output/json.ts'
import { bytesText, durationText } from '../output/units.ts'
import { switchOption, type OptionValues, type Verb } from './command.ts'

export const verb: Verb = {
  args: [
    { name: 'DOM', what: 'id, name or UUID of a guest' },
    { name: 'FILE', what: 'the image to write, or a URL to send it to' },
  ],
  options: [
    { flags: '-c', what: 'let the guest run on' },
    { flags: '-p', what: 'leave the guest paused' },
  ],
  host: true,
  lines: true,
  about: [
    'Saves a guest as `xl save` does: it is suspended, its state is written, and it is destroyed unless -c or -p is given. `xr restore` and `xl restore` take the image.',
    'FILE is written beside its place and put there when it is whole and on the disk; only then is the guest destroyed. When anything fails before, the guest runs on and nothing is left behind.',
  ],
  examples: [
    ['xr save demo /srv/demo.xl', 'demo is on the disk and no longer runs'],
    ['xr save -c demo tcp://backup:9000', 'a snapshot, sent elsewhere'],
  ],
  run: async (ctx, [dom = '', file = ''], options) => {
    const then = afterwards(options)
    return withToolstack(ctx, options, async ({ stack, T, urlOf }) => {
      const began = ctx.now()
      const save = await stack.get(T.save)
      const saved = await save({ dom, url: await urlOf(file), then }, ctx.signal)
      const { guest, bytes, stoodMs, fate } = saved
      const seconds = (ctx.now() - began) / 1000
      if (ctx.json) await writeDocument(ctx.stdout, 'xr.save/1', { guest, file, bytes, stoodMs, fate, seconds })
      else if (!ctx.jsonl) await ctx.stdout.write(`${file}: ${guest}, ${bytesText(bytes)}; it stood for ${durationText(stoodMs)}, now ${fateText(guest, 'source', fate)}\n`)
      return exitCodes.done
    })
  },
}

function afterwards(options: OptionValues): 'destroy' | 'resume' | 'pause' {
  const [resume, pause] = [switchOption(options, 'c'), switchOption(options, 'p')]
  if (resume && pause) throw usageError('-c and -p exclude each other', 'give one of them')
  return resume ? 'resume' : pause ? 'pause' : 'destroy'
}
