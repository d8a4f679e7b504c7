import type { RecordHead } from './record-head.ts'

/** What is done with one type of record. */
export interface RecordRule {
  /**
   * Judges the body by itself, before it is used or held back.
   *
   * @throws RestoreError
   */
  readonly check: (body: Uint8Array, head: RecordHead) => void
  /** Does what the record says; the body is the callee's to keep. */
  readonly apply: (body: Uint8Array<ArrayBuffer>, head: RecordHead) => Promise<void> | void
}
