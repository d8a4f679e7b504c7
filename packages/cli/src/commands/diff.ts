import { diffImages, type ImageDiff } from '@xen-replication/format'
import { usageError } from '../cli-error.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { diffText } from '../images/diff-text.ts'
import { droppedText, extentDocument, withSnapshot, type OpenSnapshot } from '../images/read-snapshot.ts'
import { Pace } from '../input/pace.ts'
import { writeDocument } from '../output/json.ts'
import { switchOption, textOption, type OptionValues, type Verb, type VerbContext } from './command.ts'

/** Lines or runs of each kind, unless told. */
const LISTED_TEXT = 20
const LISTED_JSON = 1000

export const verb: Verb = {
  args: [
    { name: 'A', what: 'an image; `-` is standard input' },
    { name: 'B', what: 'another image, or `-`' },
  ],
  options: [
    { flags: '-n, --limit <COUNT>', what: 'list so many differences of each kind; all are counted', standard: `${LISTED_TEXT}, with --json ${LISTED_JSON}` },
    { flags: '--guest', what: 'let only the guests decide the exit status, not how their images are packed' },
  ],
  about: [
    'Tells what differs: headers, configuration, numbers of records, registers and other state by name, the device model’s state, the sets of pages, their types, and page contents, byte for byte, as runs of pfns.',
    'Of a series of checkpoints (Remus) the last complete one counts, as for Xen. A page without memory (a hole, one ballooned out) counts as not being there.',
    'Exit status: 0 when nothing differs, 3 when something does.',
  ],
  examples: [
    ['xr diff before.save after.save', 'what a guest did between two saves'],
    ['xr diff --guest guest.stream repaired.save', 'whether both restore to the same guest'],
  ],
  run: async (ctx, [a = '-', b = '-'], options) => {
    const limit = limitOf(options, ctx)
    if (a === '-' && b === '-') throw usageError('only one of the images can come from standard input', 'name a file for the other')
    return withSnapshot(ctx, a, (left) => withSnapshot(ctx, b, (right) => compare(ctx, left, right, { limit, guestOnly: switchOption(options, 'guest') })))
  },
}

function limitOf(options: OptionValues, { json }: VerbContext): number {
  const text = textOption(options, 'limit')
  if (text === undefined) return json ? LISTED_JSON : LISTED_TEXT
  if (!/^\d{1,9}$/.test(text)) throw usageError(`'${text}' is no number of lines`, 'give a whole number')
  return Number(text)
}

async function compare(ctx: VerbContext, a: OpenSnapshot, b: OpenSnapshot, { limit, guestOnly }: { limit: number; guestOnly: boolean }): Promise<ExitCode> {
  const began = ctx.now()
  const task = ctx.progress.begin('comparing', undefined)
  let diff: ImageDiff
  try {
    diff = await finished(diffImages(a, b, { limit, onProgress: (pages) => task.at(pages * 4096) }), ctx.signal)
  } finally {
    task.end()
  }
  const sides = [a, b].map(({ image, snapshot }) => ({ file: image.path, ...extentDocument(snapshot) }))
  for (const side of sides) {
    const dropped = droppedText(side)
    if (dropped !== undefined) ctx.stderr.writeNow(`xr: warning: ${side.file}: ${dropped}\n`)
  }
  if (ctx.json) await writeDocument(ctx.stdout, 'xr.diff/1', { a: sides[0], b: sides[1], ...diff, seconds: (ctx.now() - began) / 1000 })
  else await ctx.stdout.write(diffText(diff, a.image.path, b.image.path))
  return (guestOnly ? diff.sameGuest : diff.same) ? exitCodes.done : exitCodes.imageInvalid
}

/** Runs a generator to its end and lets signals and timers have their turn. */
async function finished<T>(steps: Generator<undefined, T, void>, signal: AbortSignal): Promise<T> {
  const pace = new Pace(signal)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    if (pace.due) await pace.rest()
  }
}
