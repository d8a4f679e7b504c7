import { bytesText, durationText } from './units.ts'
import type { Output } from './output.ts'

/** Work in hand whose size may be known. */
interface ProgressTask {
  /** @param done bytes so far; less than before is taken as before. */
  at(done: number): void
  /** Takes the bar away, or says the last line where lines were said before. */
  end(): void
}

/** Tells on stderr how far long work has come. Silent for the first second. */
export interface Progress {
  /** @param total bytes in all, undefined when not known. */
  begin(label: string, total?: number): ProgressTask
}

export interface ProgressOptions {
  /** Milliseconds of a clock that does not go backwards. */
  readonly now: () => number
  readonly quiet: boolean
}

const SILENT_MS = 1000
const REDRAW_MS = 100
const LINE_MS = 5000
const BAR_CELLS = 24

const silent: ProgressTask = { at: () => undefined, end: () => undefined }

/** A bar on a terminal, a line every few seconds elsewhere. */
export function createProgress(out: Output, { now, quiet }: ProgressOptions): Progress {
  return { begin: (label, total) => (quiet ? silent : task(out, now, label, total)) }
}

function task(out: Output, now: () => number, label: string, total: number | undefined): ProgressTask {
  const began = now()
  const every = out.isTTY ? REDRAW_MS : LINE_MS
  let next = began + SILENT_MS
  let most = 0
  let shown = false
  return {
    at: (done) => {
      most = Math.max(most, total === undefined ? done : Math.min(done, total))
      const time = now()
      if (time < next) return
      next = time + every
      shown = true
      const text = progressText(label, most, total, time - began)
      out.writeNow(out.isTTY ? `\r${bar(most, total)}${text}`.slice(0, out.columns) + '\x1b[K' : `${text}\n`)
    },
    end: () => {
      if (shown && out.isTTY) out.writeNow('\r\x1b[K')
      shown = false
      next = Infinity
    },
  }
}

function bar(done: number, total: number | undefined): string {
  if (total === undefined || total === 0) return ''
  const full = Math.floor((BAR_CELLS * done) / total)
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_CELLS - full)}] `
}

function progressText(label: string, done: number, total: number | undefined, ms: number): string {
  const rate = ms > 0 ? done / ms : 0
  const speed = `${bytesText(Math.round(rate * 1000))}/s`
  if (total === undefined || total === 0) return `${label}: ${bytesText(done)}, ${speed}`
  const percent = Math.floor((100 * done) / total)
  const left = rate > 0 ? `, ${durationText((total - done) / rate)} left` : ''
  return `${label}: ${percent} % of ${bytesText(total)}, ${speed}${left}`
}
