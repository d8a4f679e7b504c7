/** Where a live save stands when it has to decide. */
export interface PrecopyState {
  /** Ways through memory that are done. */
  readonly round: number
  /** Pages sent so far, by the hypervisor's estimates. */
  readonly sent: number
  /** Pages to be sent next, by its estimate; -1 while that is unknown. */
  readonly dirty: number
}

/** `again`: one more round while the guest runs; `stop`: suspend it after the pages at hand; `abort`: give up. */
export type PrecopyDecision = 'again' | 'stop' | 'abort'

/** Asked twice a round: before the record of written pages is fetched (`dirty` is -1), and after. */
export type PrecopyPolicy = (state: PrecopyState) => PrecopyDecision

/** Xen's own: suspend once fewer than 50 pages are left, or after 5 rounds. Source: xg_sr_save.c, simple_precopy_policy. */
export const precopyAsXen: PrecopyPolicy = ({ round, dirty }) => ((dirty >= 0 && dirty < 50) || round >= 5 ? 'stop' : 'again')
