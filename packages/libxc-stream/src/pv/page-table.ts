import type { GuestWidth } from './guest-width.ts'

/** Entries of a page table of any level; 8 bytes each, in 32-bit guests too. */
export const TABLE_ENTRIES = 512
/** 32-bit words of a page table. */
export const TABLE_WORDS = 2 * TABLE_ENTRIES

const PRESENT = 0x01
const SUPERPAGE = 0x80
const FRAME_LOW = 0x10_0000 // 20 bits of the frame number lie in the low word

/** First slot of the top L2 table of a 32-bit guest that belongs to Xen: 0xF5800000 >> 21, within its table. */
const COMPAT_L2_SLOT = 428

/** Why a page table cannot be translated. */
export interface TableFault {
  /** `level`: guests of this width have no such table; `superpage`: an entry maps one; `foreign`: a frame is not the guest's. */
  readonly kind: 'level' | 'superpage' | 'foreign'
  readonly entry: number
  readonly frame: number
}

/** How the tables of a guest are built. */
export interface TableLayout {
  readonly width: GuestWidth
  /** First frame of the machine-to-physical table that 32-bit guests see. */
  readonly compatFirstMfn: number | undefined
}

/** Frame number in entry `i` of the table at word `at`: bits 51 to 12. */
export const frameOfEntry = (words: Uint32Array, at: number, i: number): number =>
  ((words[at + 2 * i + 1] as number) & 0xf_ffff) * FRAME_LOW + ((words[at + 2 * i] as number) >>> 12)

/** Whether entry `i` of the table at word `at` is present. */
export const isPresent = (words: Uint32Array, at: number, i: number): boolean => ((words[at + 2 * i] as number) & PRESENT) !== 0

/**
 * Translates the frame numbers of a page table in place; all other bits of the entries stay. Entries that are not
 * present stay as they are, whatever they hold.
 *
 * @param at word where the table begins.
 * @param level 1 to 4.
 * @param translate from one kind of frame number to the other; negative when there is none.
 * @returns the first fault; the table is half translated then.
 */
export function translateTable(words: Uint32Array, at: number, level: number, translate: (frame: number) => number): TableFault | undefined {
  for (let i = 0; i < TABLE_ENTRIES; i++) {
    const low = words[at + 2 * i] as number
    if ((low & PRESENT) === 0) continue
    const frame = frameOfEntry(words, at, i)
    if (level > 1 && (low & SUPERPAGE) !== 0) return { kind: 'superpage', entry: i, frame }
    const other = translate(frame)
    if (other < 0) return { kind: 'foreign', entry: i, frame }
    words[at + 2 * i] = (low & 0xfff) | ((other % FRAME_LOW) << 12)
    words[at + 2 * i + 1] = ((words[at + 2 * i + 1] as number) & 0xfff0_0000) | Math.floor(other / FRAME_LOW)
  }
  return undefined
}

/**
 * Makes a page table independent of its host, in place: Xen's own slots are zeroed, mfns become pfns.
 *
 * @param pfnOf pfn of an mfn; negative when the frame is not the guest's.
 * Source: libxc-migration-stream, "x86 PV Guest"; xg_sr_save_x86_pv.c.
 */
export function normaliseTable(words: Uint32Array, at: number, level: number, layout: TableLayout, pfnOf: (mfn: number) => number): TableFault | undefined {
  if (layout.width === 4 && level === 4) return { kind: 'level', entry: 0, frame: frameOfEntry(words, at, 0) }
  const [first, end] = xenSlots(words, at, level, layout)
  words.fill(0, at + 2 * first, at + 2 * end)
  return translateTable(words, at, level, pfnOf)
}

/** Slots of a table that Xen fills, as [first, one behind the last]. */
function xenSlots(words: Uint32Array, at: number, level: number, { width, compatFirstMfn }: TableLayout): readonly [number, number] {
  if (width === 8) return level === 4 ? [256, 272] : [0, 0]
  if (level === 3) return [4, TABLE_ENTRIES]
  const isTop = level === 2 && frameOfEntry(words, at, COMPAT_L2_SLOT) === compatFirstMfn
  return isTop ? [COMPAT_L2_SLOT, TABLE_ENTRIES] : [0, 0]
}
