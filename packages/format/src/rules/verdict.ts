/** What a judge says of a stream or of one fault in it. */
export type Verdict = 'accept' | 'reject'

/**
 * The three judges: the written specification, the C restorer of Xen (libxc, libxl, xl), and Xen's own
 * `verify-stream-v2`, each with its quirks.
 */
export interface Verdicts {
  readonly strict: Verdict
  readonly xen: Verdict
  readonly verifier: Verdict
}
