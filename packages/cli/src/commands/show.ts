import { createSummary } from '@xen-replication/format'
import { exitCodes } from '../exit-codes.ts'
import { restorerOptions, formatOption, told } from '../input/image-options.ts'
import { notAnImage } from '../input/not-an-image.ts'
import { openImage } from '../input/open-image.ts'
import { readImage } from '../input/read-image.ts'
import { trailingBytes } from '../input/trailing-bytes.ts'
import { writeDocument } from '../output/json.ts'
import { showCapture } from '../qemu/show-capture.ts'
import { lookForQemu } from '../qemu/qemu-image.ts'
import { shown } from '../show/document.ts'
import { shownText } from '../show/text.ts'
import { switchOption, type Verb } from './command.ts'

export const verb: Verb = {
  args: [{ name: 'FILE', what: 'an image; `-` is standard input' }],
  options: [{ flags: '--data', what: 'read page contents too, to count zero pages' }, formatOption, ...restorerOptions],
  about: [
    'Tells what an image is: its layers and versions, the guest and its configuration, memory by type of page, vCPUs, the device model, checkpoints, how it ends, and whether Xen would restore it. Page contents are not read unless --data asks for it, so a large image takes no longer than a small one.',
    'Migration streams of QEMU, and what a COLO primary sent, are shown too: machine, memory, devices, checkpoints.',
  ],
  examples: [
    ['xr show guest.save', 'what is in a saved guest'],
    ['xr show --json guest.save | jq .memory', 'its memory only, for a script'],
  ],
  run: async (ctx, [file = '-'], options) => {
    const opened = await openImage(file, ctx)
    try {
      const { image, isQemu } = await lookForQemu(opened, options)
      if (isQemu) return await showCapture(ctx, image)
      const summariser = createSummary()
      const depth = switchOption(options, 'data') ? 'data' : 'rules'
      const reading = await readImage(ctx, image, { ...told(options), depth }, summariser)
      const summary = summariser.finish()
      if (summary.format === 'unknown') throw await notAnImage(file, reading.reader)
      const document = shown(file, summary, reading, await trailingBytes(image, summary, reading.reader))
      if (ctx.json) await writeDocument(ctx.stdout, 'xr.show/1', document)
      else await ctx.stdout.write(shownText(document))
      return exitCodes.done
    } finally {
      opened.close()
    }
  },
}
