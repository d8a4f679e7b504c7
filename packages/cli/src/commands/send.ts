import { resolve } from 'node:path'
import { dialOption, linkOptions, linkOptionsOf, patienceOf } from '../domains/link-options.ts'
import { withToolstack } from '../domains/with-toolstack.ts'
import { exitCodes } from '../exit-codes.ts'
import { writeDocument } from '../output/json.ts'
import { bytesText, durationText } from '../output/units.ts'
import type { Verb } from './command.ts'

export const verb: Verb = {
  args: [
    { name: 'FILE', what: 'an image, or any other file' },
    { name: 'URL', what: 'where `xr receive --to FILE URL` waits' },
  ],
  options: [...linkOptions, dialOption],
  host: true,
  lines: true,
  about: [
    'Sends an image to another host, where `xr receive --to FILE` waits. Every batch has a checksum, the whole a digest; the file there has its name once it is complete and on the disk.',
    'When the link is lost both sides wait for another one and go on where they were. When one of the two is ended, or both, run the same commands again: what is there is not sent twice, but for 1 % at most. Notes beside the two files, which nobody else can read, hold the key with which the two sides know each other again.',
  ],
  examples: [
    ['xr send demo.xl tcp://backup:9000', 'to `xr receive --to demo.xl tcp://0.0.0.0:9000` on backup'],
    ['xr send --bandwidth 100Mbit/s demo.xl tls://backup:9000', 'no faster than that'],
  ],
  run: async (ctx, [file = '', url = ''], options) => {
    const request = { file: resolve(ctx.cwd, file), url, link: linkOptionsOf(options), patienceMs: patienceOf(options) }
    return withToolstack(ctx, options, async ({ stack, T }) => {
      const began = ctx.now()
      const { bytes } = await (await stack.get(T.sendImage))(request, ctx.signal)
      const seconds = (ctx.now() - began) / 1000
      if (ctx.json) await writeDocument(ctx.stdout, 'xr.send/1', { file, url, bytes, seconds })
      else if (!ctx.jsonl) await ctx.stdout.write(`${file}: ${bytesText(bytes)} are at ${url}, in ${durationText(seconds * 1000)}\n`)
      return exitCodes.done
    })
  },
}
