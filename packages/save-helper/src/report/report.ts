import { isXrError } from '@xen-replication/errors'
import type { Libxl } from '../protocol/libxl.ts'

/** Levels of what is logged, as libxl numbers them. xl shows those from `progress` on unless told otherwise. Source: xentoollog.h. */
const LEVELS = { debug: 1, detail: 3, info: 5, notice: 6, warn: 7, error: 8 } as const
export type Level = keyof typeof LEVELS

/** Whose messages they are; xl prints it in front of them. */
const CONTEXT = 'xr'
/** Says that no error of the system belongs to a message. */
const NO_ERRNO = -1
/** Longest text of a message in characters: it must fit a message of the protocol whatever it holds. */
const TEXT_MAX = 4000

/** Tells people things, through libxl. */
export class Report {
  readonly #libxl: Libxl

  constructor(libxl: Libxl) {
    this.#libxl = libxl
  }

  log(level: Level, text: string, errno = NO_ERRNO): void {
    this.#libxl.tell('log', { level: LEVELS[level], errno, context: CONTEXT, text: oneLine(text) })
  }

  /** How far something is; `total` 0 for what has no measure. */
  progress(doing: string, done = 0, total = 0): void {
    this.#libxl.tell('progress', { context: CONTEXT, doing, done, total })
  }

  /** What went wrong, and what to do about it. */
  failure(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    this.log('error', isXrError(error) ? `${error.code}: ${message}` : message)
    if (isXrError(error) && error.hint !== undefined) this.log('notice', error.hint)
  }
}

/** A log has a line for each message; bytes of zero end a text in C. */
const oneLine = (text: string): string => text.slice(0, TEXT_MAX).replaceAll(/[\0\r\n]+/g, ' ')
