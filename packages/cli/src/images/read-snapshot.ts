import { ByteReader, FIRST_BYTES, readSnapshot, recognise, type Snapshot } from '@xen-replication/format'
import type { VerbContext } from '../commands/command.ts'
import { notAnImage } from '../input/not-an-image.ts'
import { openSeekable, type SeekableImage } from '../input/open-seekable.ts'
import { plural } from '../output/units.ts'

/** An image and what it holds. */
export interface OpenSnapshot {
  readonly image: SeekableImage
  readonly snapshot: Snapshot
}

/**
 * Opens an image, reads what it holds and hands both to `work`; closes it afterwards.
 *
 * @throws CliError CLI_NOT_AN_IMAGE and as openSeekable(); FormatError as readSnapshot()
 */
export async function withSnapshot<T>(ctx: VerbContext, path: string, work: (open: OpenSnapshot) => Promise<T>): Promise<T> {
  const image = await openSeekable(path, ctx)
  try {
    return await work({ image, snapshot: await read(ctx, image) })
  } finally {
    image.close()
  }
}

async function read(ctx: VerbContext, image: SeekableImage): Promise<Snapshot> {
  if (recognise(image.pread(0, FIRST_BYTES)) === 'unknown') throw await notAnImage(image.path, new ByteReader(image.sourceAt(0)))
  const task = ctx.progress.begin(`reading ${image.path}`, 2 * image.size)
  try {
    return await readSnapshot(image, (done) => task.at(done))
  } finally {
    task.end()
  }
}

/** How much of an image counts, for documents. */
export interface ExtentDocument {
  readonly kind: 'plain' | 'checkpoints'
  readonly checkpoints: number
  readonly whole: boolean
  readonly until: number
  readonly broken: { readonly offset: number; readonly record: number | null; readonly why: string } | null
  readonly dropped: { readonly records: number; readonly bytes: number }
}

export function extentDocument({ extent: { kind, checkpoints, whole, until, broken, dropped } }: Snapshot): ExtentDocument {
  const where = broken === undefined ? null : { offset: broken.offset, record: broken.record ?? null, why: broken.why }
  return { kind, checkpoints, whole, until, broken: where, dropped }
}

/** One line about what was left out; undefined when nothing was. */
export function droppedText({ kind, checkpoints, whole, until, broken, dropped }: ExtentDocument): string | undefined {
  if (whole) return undefined
  const kept = kind === 'checkpoints' ? `the last of ${plural(checkpoints, 'complete checkpoint')}` : 'what comes before'
  const why = broken === null ? 'more comes after it' : `${broken.why} (at byte ${broken.offset})`
  return `${why}; ${plural(dropped.bytes, 'byte')} from byte ${until} on do not count, ${kept} does`
}
