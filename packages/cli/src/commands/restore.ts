import { fateText } from '../domains/fate-text.ts'
import { withToolstack } from '../domains/with-toolstack.ts'
import { exitCodes } from '../exit-codes.ts'
import { writeDocument } from '../output/json.ts'
import { bytesText } from '../output/units.ts'
import { switchOption, textOption, type Verb } from './command.ts'

export const verb: Verb = {
  args: [{ name: 'FILE', what: 'an image that `xr save` or `xl save` wrote, or a URL to wait at for one' }],
  options: [
    { flags: '-p', what: 'leave the guest paused' },
    { flags: '--name <NAME>', what: 'call the guest this', standard: 'its name in the image' },
  ],
  host: true,
  lines: true,
  about: ['Makes a guest of an image, as `xl restore` does, and lets it run unless -p is given. When anything fails, nothing of the guest is left. The image stays as it is.'],
  examples: [
    ['xr restore /srv/demo.xl', 'demo runs on from where it was saved'],
    ['xr restore -p tcp://0.0.0.0:9000', 'waits for `xr save demo tcp://…` on another host'],
  ],
  run: async (ctx, [file = ''], options) =>
    withToolstack(ctx, options, async ({ stack, T, urlOf }) => {
      const began = ctx.now()
      const paused = switchOption(options, 'p')
      const restore = await stack.get(T.restore)
      const { guest, domId, kind, bytes } = await restore({ url: await urlOf(file), then: paused ? 'stay-paused' : 'run', name: textOption(options, 'name') }, ctx.signal)
      const seconds = (ctx.now() - began) / 1000
      if (ctx.json) await writeDocument(ctx.stdout, 'xr.restore/1', { guest, id: domId, type: kind, file, bytes, state: paused ? 'paused' : 'running', seconds })
      else if (!ctx.jsonl) await ctx.stdout.write(`${fateText(guest, 'target', paused ? 'paused' : 'runs')}, domain ${domId}, from ${bytesText(bytes)}\n`)
      return exitCodes.done
    }),
}
