import { LIBXC_BODY_MAX } from '../bytes/limits.ts'
import type { Json } from '../bytes/field.ts'
import { viewOf } from '../bytes/struct.ts'
import { FormatError } from '../format-error.ts'
import { listOf } from '../frame/rows.ts'
import { hasContent, pageDataFront, pageTypeName, type PageData } from '../libxc/page-data.ts'
import { writePageEntry } from '../libxc/page-data-head.ts'

/** Entries that fit into the longest body. */
const ENTRIES_MAX = LIBXC_BODY_MAX / 8 - 1

// A pfn has 52 bits.
const RUN = /^0x([0-9a-f]{1,13})(?:\.\.0x([0-9a-f]{1,13}))?:([\w-]+?)(?:\+0x([0-9a-f]{1,2}))?$/i
const typeByName: ReadonlyMap<string, number> = new Map(Array.from({ length: 16 }, (_, type) => [pageTypeName(type), type]))

interface Run {
  readonly first: number
  readonly last: number
  readonly type: number
  /** Bits 59 to 52, which ought to be zero. */
  readonly spare: number
}

/** Entries as text, neighbours of one type together: `0x0..0x9f:NOTAB`, `0xa0:XTAB`. Bits 59 to 52 follow as `+0x…` where they are not zero. */
export function textOfEntries(pages: PageData): readonly string[] {
  const runs: string[] = []
  for (let i = 0; i < pages.count; ) {
    const first = i
    do i++
    while (i < pages.count && continues(pages, first, i))
    runs.push(runText({ first: pages.pfn(first), last: pages.pfn(i - 1), type: pages.type(first), spare: pages.spare(first) }))
  }
  return runs
}

const continues = (pages: PageData, first: number, i: number): boolean =>
  pages.pfn(i) === pages.pfn(first) + (i - first) && pages.type(i) === pages.type(first) && pages.spare(i) === pages.spare(first)

function runText({ first, last, type, spare }: Run): string {
  const pfns = first === last ? hex(first) : `${hex(first)}..${hex(last)}`
  return `${pfns}:${pageTypeName(type)}${spare === 0 ? '' : `+${hex(spare)}`}`
}

const hex = (value: number): string => `0x${value.toString(16)}`

/** The front part of a PAGE_DATA body, and how many of its entries have content. */
export interface PageFront {
  readonly bytes: Uint8Array
  readonly contents: number
}

/**
 * The other way round.
 *
 * @param reserved the word behind the count.
 * @throws FormatError FMT_JSON when a run cannot be read, or there are more than the longest record holds.
 */
export function frontOfText(json: Json, reserved: number): PageFront {
  const runs = listOf(json).map(parseRun)
  const count = runs.reduce((n, { first, last }) => n + last - first + 1, 0)
  if (count > ENTRIES_MAX) throw new FormatError('FMT_JSON', `at most ${ENTRIES_MAX} pfns in one record, ${count} found`)
  const bytes = new Uint8Array(pageDataFront(count))
  const view = viewOf(bytes)
  view.setUint32(0, count, true)
  view.setUint32(4, reserved, true)
  let at = 8
  let contents = 0
  for (const { first, last, type, spare } of runs) {
    if (hasContent(type)) contents += last - first + 1
    for (let pfn = first; pfn <= last; pfn++, at += 8) writePageEntry(view, at, { pfn, type }, spare)
  }
  return { bytes, contents }
}

function parseRun(json: Json): Run {
  const [, from, to, name, spare] = (typeof json === 'string' ? RUN.exec(json) : null) ?? []
  const type = typeByName.get(name ?? '')
  if (from === undefined || type === undefined) throw noRun(json)
  const first = Number.parseInt(from, 16)
  const last = to === undefined ? first : Number.parseInt(to, 16)
  if (last < first) throw noRun(json)
  return { first, last, type, spare: spare === undefined ? 0 : Number.parseInt(spare, 16) }
}

const noRun = (json: Json): FormatError =>
  new FormatError('FMT_JSON', `pfns and their type wanted, as "0x0..0x9f:NOTAB", ${JSON.stringify(json).slice(0, 80)} found`, {
    hint: `the types are ${[...typeByName.keys()].join(', ')}`,
  })
