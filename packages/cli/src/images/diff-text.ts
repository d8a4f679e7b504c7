import type { BlobDiff, BoundedList, Change, ImageDiff, PageDiff } from '@xen-replication/format'
import { bytesText, hexText, plural } from '../output/units.ts'

/** What `xr diff` prints; nothing when the images are the same. */
export function diffText(diff: ImageDiff, nameA: string, nameB: string): string {
  if (diff.same) return ''
  const sections = [
    changesText('headers', diff.headers),
    changesText('configuration', diff.config),
    recordsText(diff.records),
    changesText('state', diff.state),
    emulatorText(diff.emulator),
    memoryText(diff.pages),
  ].filter((section) => section !== '')
  const verdict = diff.sameGuest ? 'the guests are the same, their images are not\n' : ''
  return `--- ${nameA}\n+++ ${nameB}\n${sections.join('')}${verdict}`
}

function changesText(title: string, { total, list }: BoundedList<Change>): string {
  if (total === 0) return ''
  return `${title}: ${plural(total, 'difference')}\n${list.map(changeText).join('')}${restText(total - list.length)}`
}

function changeText({ path, a, b }: Change): string {
  const name = path === '' ? '(all)' : path
  if (a === undefined) return `  + ${name}: ${JSON.stringify(b)}\n`
  if (b === undefined) return `  - ${name}: ${JSON.stringify(a)}\n`
  return `    ${name}: ${JSON.stringify(a)} → ${JSON.stringify(b)}\n`
}

const restText = (rest: number): string => (rest === 0 ? '' : `    … ${rest} more, see --limit\n`)

function recordsText(records: ImageDiff['records']): string {
  if (records.length === 0) return ''
  return `records: ${plural(records.length, 'type')} in different numbers\n${records.map(({ name, a, b }) => `    ${name}: ${a} → ${b}\n`).join('')}`
}

function emulatorText({ same, a, b, firstDifference }: BlobDiff): string {
  if (same) return ''
  const size = (bytes: number | null): string => (bytes === null ? 'none' : bytesText(bytes))
  const where = firstDifference === null ? '' : `, first at byte ${firstDifference} of its record`
  return `device model state: differs${where}\n    ${size(a)} → ${size(b)}\n`
}

function memoryText({ onlyA, onlyB, types, contents, compared }: PageDiff): string {
  const text = [
    runsText('only in the first', onlyA),
    runsText('only in the second', onlyB),
    runsText('of another type', types, ({ a, b }) => `  ${a} → ${b}`),
    runsText(`of other contents, ${plural(compared, 'page')} compared`, contents),
  ].join('')
  return text === '' ? '' : `memory\n${text}`
}

interface Run {
  readonly from: number
  readonly count: number
}

function runsText<R extends Run>(title: string, { pages, total, list }: BoundedList<R> & { readonly pages: number }, detail: (run: R) => string = () => ''): string {
  if (pages === 0) return ''
  const rows = list.map((run) => `    ${runText(run)}${detail(run)}\n`).join('')
  return `  ${plural(pages, 'page')} ${title}:\n${rows}${restText(total - list.length)}`
}

const runText = ({ from, count }: Run): string => (count === 1 ? `pfn ${hexText(from)}` : `pfn ${hexText(from)} to ${hexText(from + count - 1)}  (${plural(count, 'page')})`)
