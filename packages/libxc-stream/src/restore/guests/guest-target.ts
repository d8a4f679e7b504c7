import type { RecordRule } from '../record-rule.ts'
import type { RestoreError, StreamPlace } from '../restore-error.ts'

/** Frames of the two rings as a guest of that kind counts them: mfns for PV, gfns for HVM. */
export interface RingFrames {
  readonly store: number
  readonly console: number
}

/** What a kind of guest adds to a restore. The phases ask this and never which kind it is. */
export interface GuestTarget {
  readonly kind: 'pv' | 'hvm'
  /** Records that only this kind has, by type. */
  readonly rules: ReadonlyMap<number, RecordRule>
  /** Whether a guest of this kind can have such a page there. */
  mayHave(pfn: number, type: number): boolean
  /** What to throw when it cannot. */
  pageRefused(pfn: number, place: StreamPlace): RestoreError
  /** Whether it takes note of pages that are not there. */
  readonly holes: 'noted' | 'passed-over'
  /** Takes note of the type of a page; the last one counts. */
  setType(pfn: number, type: number): void
  /** Where a populated page lies, as mapping wants it. */
  frame(pfn: number): number
  /** 1 to 4 for pages that are to be fitted to this host before they are put in place, 0 for others. */
  tableLevel(type: number): number
  /** Fits a page table to this host, in place. */
  localise(words: Uint32Array, level: number, place: StreamPlace): Promise<void>
  /** Puts in place what can only come last. @param place of the end, for what never came. */
  complete(place: StreamPlace): Promise<RingFrames>
}
