import type { TableFault } from '../../pv/page-table.ts'

/** What a kind of guest adds to an image. The phases of a save ask this and never which kind it is. */
export interface GuestShape {
  /** `type` of the domain header. */
  readonly domainType: number
  /** One above the highest pfn; does not change during a save. */
  readonly pages: number
  /** Records at the beginning, before the CPU policy. */
  readonly staticData: readonly Uint8Array[]
  /** Records behind the static data. */
  readonly start: readonly Uint8Array[]
  /** Frame of a pfn below `pages`, NO_FRAME where the guest has no page; undefined where frames go by the pfns themselves. */
  readonly frame: ((pfn: number) => number) | undefined
  /** Makes the page table at word `at` independent of the host, in place; undefined where pages go as they are. */
  readonly normalise: ((words: Uint32Array, at: number, level: number) => TableFault | undefined) | undefined
  /** @throws SaveError SAVE_P2M_MOVED when what was said in `start` no longer holds. */
  verifyUnmoved(): void
  /** Records at the end of each consistent state; the guest stands. Valid until `close()`. */
  tail(): Promise<readonly Uint8Array[]>
  close(): void
}
