import { paddingOf } from '../bytes/limits.ts'
import { viewOf } from '../bytes/struct.ts'
import type { HeaderItem, Item, RecordItem, StopItem } from '../image/item.ts'
import type { ImageFormat } from '../image/recognise.ts'
import { walk } from '../image/walk.ts'
import { XC } from '../libxc/record-types.ts'
import { XL2 } from '../libxl/record-types.ts'
import { readerOf, type ImageBytes } from './image-bytes.ts'
import { refusalOf, type Before } from './refusal.ts'
import { FormatError } from '../format-error.ts'

/** Where an image breaks off, and why. */
export interface Break {
  readonly offset: number
  readonly record: number | undefined
  readonly why: string
}

/** How much of an image counts: what a restorer would have in the guest at the end. */
export interface Extent {
  readonly format: Exclude<ImageFormat, 'legacy'>
  /** `checkpoints`: only what the last complete one and those before it hold. */
  readonly kind: 'plain' | 'checkpoints'
  /** Complete checkpoints. */
  readonly checkpoints: number
  /** Records that begin before this offset count. */
  readonly until: number
  /** Nothing that belongs to the guest comes after `until`. */
  readonly whole: boolean
  /** Undefined when the image ends as it ought to. */
  readonly broken: Break | undefined
  /** What comes after `until` and does not count. */
  readonly dropped: { readonly records: number; readonly bytes: number }
}

interface Course extends Before {
  format: ImageFormat
  libxl: boolean
  checkpoints: number
  /** Behind the last complete checkpoint. */
  checkpointEnd: number
  /** Behind the libxc END and every complete record after it. */
  plainEnd: number
  ended: boolean
  /** Records that tell something of the guest, by their offsets behind the last complete checkpoint. */
  since: number
  last: RecordItem | undefined
  broken: Break | undefined
}

/**
 * Finds how much of an image counts, by its record heads. Page contents are passed over.
 *
 * A checkpoint is complete with its CHECKPOINT record, in a libxl stream with the CHECKPOINT_END after it. Without checkpoints
 * the libxc END has to be there.
 *
 * @param onProgress called now and then with the offset reached.
 * @throws FormatError FMT_NO_STATE | FMT_LEGACY
 */
export async function measure(image: ImageBytes, onProgress?: (offset: number) => void): Promise<Extent> {
  const course = newCourse()
  for await (const item of walk(readerOf(image))) {
    onProgress?.(item.offset)
    settle(course, item)
    await visit(course, item)
    if (course.broken !== undefined) break
  }
  return course.checkpoints > 0 ? checkpointsExtent(course, image) : plainExtent(course, image)
}

const newCourse = (): Course => ({
  format: 'libxc',
  libxl: false,
  guest: 'hvm',
  version: 3,
  staticEnd: false,
  maxPfn: 0,
  images: 0,
  inGroup: false,
  checkpoints: 0,
  checkpointEnd: 0,
  plainEnd: 0,
  ended: false,
  since: 0,
  last: undefined,
  broken: undefined,
})

/** The record before this item is complete, unless the item says that the image ends in it. */
function settle(course: Course, item: Item): void {
  const { last } = course
  if (last === undefined || item.kind === 'padding') return
  course.last = undefined
  if (item.kind === 'stop' && (item.during === 'body' || item.during === 'padding')) return
  const end = last.offset + 8 + last.length + paddingOf(last.length)
  const completes = last.layer === 'libxl' ? last.type === XL2.CHECKPOINT_END : last.type === XC.CHECKPOINT && !course.libxl
  if (completes) {
    course.checkpoints++
    course.checkpointEnd = end
    course.since = 0
  }
  if (last.layer === 'libxc' && last.type === XC.END) course.ended = true
  if (course.ended && !isOuterEnd(last)) course.plainEnd = end
}

const isOuterEnd = ({ layer, type }: RecordItem): boolean => layer === 'libxl' && type === XL2.END

async function visit(course: Course, item: Item): Promise<void> {
  switch (item.kind) {
    case 'record':
      return visitRecord(course, item)
    case 'stop':
      course.broken = breakOf(course, item)
      return
    case 'legacy':
      throw legacyError(item.offset)
    case 'padding':
      return
    default:
      return visitHeader(course, item)
  }
}

/** The error for verbs that work on records. */
const legacyError = (offset: number): FormatError =>
  new FormatError('FMT_LEGACY', 'the image is in the format from before Xen 4.6', { offset, hint: 'convert it first: `xr convert IN OUT --to libxl-v2`' })

function visitHeader(course: Course, { kind, bytes, offset }: HeaderItem): void {
  if (offset === 0 && kind !== 'image-header') course.format = kind === 'xl-header' ? 'xl' : 'libxl'
  if (kind === 'libxl-header') course.libxl = true
  if (kind === 'image-header') course.version = viewOf(bytes).getUint32(12)
  if (kind !== 'domain-header') return
  const type = viewOf(bytes).getUint32(0, true)
  if (type === 1 || type === 2) course.guest = type === 1 ? 'pv' : 'hvm'
  else course.broken = { offset, record: undefined, why: `the domain header has the unknown type ${type}` }
}

async function visitRecord(course: Course, record: RecordItem): Promise<void> {
  const why = await refusalOf(record, course)
  course.since += isOfGuest(record) ? 1 : 0
  if (why === undefined) course.last = record
  else course.broken = { offset: record.offset, record: record.index, why }
}

function isOfGuest({ layer, type }: RecordItem): boolean {
  return layer === 'libxc' ? type !== XC.END : type !== XL2.END && type !== XL2.CHECKPOINT_STATE
}

function breakOf({ checkpoints, since }: Course, { reason, offset, during }: StopItem): Break | undefined {
  switch (reason) {
    case 'end':
      return undefined
    case 'eof':
      return checkpoints > 0 && since === 0 ? undefined : { offset, record: undefined, why: 'the image ends where more was to come' }
    case 'cut':
      return { offset, record: undefined, why: `the image ends within a ${during === 'header' ? 'header' : 'record'}` }
    case 'lost':
      return { offset, record: undefined, why: 'what comes next is none of the known formats' }
  }
}

function checkpointsExtent(course: Course, image: ImageBytes): Extent {
  const { checkpoints, checkpointEnd, broken, since } = course
  const whole = broken === undefined && since === 0
  return {
    ...common(course),
    kind: 'checkpoints',
    checkpoints,
    until: checkpointEnd,
    whole,
    dropped: { records: since, bytes: whole ? 0 : image.size - checkpointEnd },
  }
}

function plainExtent(course: Course, image: ImageBytes): Extent {
  const { plainEnd, broken, ended } = course
  if (!ended) throw noState(broken)
  const whole = broken === undefined
  return { ...common(course), kind: 'plain', checkpoints: 0, until: plainEnd, whole, dropped: { records: 0, bytes: whole ? 0 : image.size - plainEnd } }
}

const common = ({ format, broken }: Course) => ({ format: format as Extent['format'], broken })

function noState(broken: Break | undefined): FormatError {
  const { offset, record, why } = broken ?? { offset: undefined, record: undefined, why: 'it ends without a libxc image' }
  return new FormatError('FMT_NO_STATE', `the image holds no complete state of a guest: ${why}`, {
    offset,
    record,
    hint: 'there is nothing in it that could be restored; take another copy or save the guest again',
  })
}
