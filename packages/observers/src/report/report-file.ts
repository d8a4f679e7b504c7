import type { AnyObservedEvent, Observer } from '@xen-replication/plugin-api'
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import process from 'node:process'
import { ObserverError } from '../observer-error.ts'
import { plotLibrary, type PlotLibrary } from './library.ts'
import { pageOf } from './page.ts'
import { Report } from './report.ts'

/** How often the page is written anew while things go on, in milliseconds: whoever is killed leaves one that is not older. */
const ANEW_MS = 10_000

export interface ReportFileOptions {
  readonly path: string
  readonly title: string
  /** What to add to the clock of events for milliseconds since 1970. */
  readonly originMs: number
  /** `virtual`: times begin with 0 and are those of no day. */
  readonly clock?: 'real' | 'virtual'
}

/** A report that is kept in a file: written anew every few seconds, when it is closed, and when the process ends. The file is always a whole page. */
export class ReportFile implements Observer {
  readonly report: Report
  readonly #path: string
  readonly #library: PlotLibrary
  readonly #own: (event: AnyObservedEvent) => void
  readonly #atExit = (): void => this.#last()
  #writtenAt: number | undefined
  #open = true

  /** Writes an empty page at once, so that what will not work is found before anything begins. @throws ObserverError OBSERVER_REPORT */
  constructor({ path, title, originMs, clock }: ReportFileOptions) {
    this.report = new Report(title, clock)
    this.#path = path
    this.#own = this.report.side('', originMs)
    try {
      this.#library = plotLibrary()
      this.write()
    } catch (error) {
      throw new ObserverError('OBSERVER_REPORT', `the report ${path} cannot be written: ${messageOf(error)}`, { cause: error, hint: 'name a file in a folder that you may write to' })
    }
    process.once('exit', this.#atExit)
  }

  observe(event: AnyObservedEvent): void {
    if (!this.#open) return
    this.#own(event)
    this.refresh(event.at)
  }

  /** Writes the page anew when that is long ago. @param now milliseconds, of one clock always */
  refresh(now: number): void {
    this.#writtenAt ??= now
    if (!this.#open || now - this.#writtenAt < ANEW_MS) return
    this.#writtenAt = now
    setImmediate(() => this.#last())
  }

  /** Writes the page in place of what is there. @throws what the file system says */
  write(): void {
    replaceFile(this.#path, pageOf(this.report.state, this.#library))
  }

  /** @throws ObserverError OBSERVER_REPORT */
  close(): Promise<void> {
    if (!this.#open) return Promise.resolve()
    this.#open = false
    process.off('exit', this.#atExit)
    try {
      this.write()
      return Promise.resolve()
    } catch (error) {
      return Promise.reject(new ObserverError('OBSERVER_REPORT', `the report ${this.#path} cannot be written: ${messageOf(error)}`, { cause: error }))
    }
  }

  /** What goes on is more important than its report. */
  #last(): void {
    try {
      if (this.#open) this.write()
    } catch {
      // close() says so
    }
  }
}

/** Whoever opens the file finds the old page or the new one. */
function replaceFile(path: string, text: string): void {
  const part = `${path}.${process.pid}.part`
  try {
    const file = openSync(part, 'w', 0o644)
    try {
      const bytes = Buffer.from(text)
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(part, path)
  } catch (error) {
    rmSync(part, { force: true })
    throw error
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
