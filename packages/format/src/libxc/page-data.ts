import { PAGE_SIZE } from '../bytes/limits.ts'

/** The type nibble of a PAGE_DATA entry. Source: XEN_DOMCTL_PFINFO_* >> 28. */
export const PAGE = { NOTAB: 0x0, L1TAB: 0x1, L4TAB: 0x4, PINNED: 0x8, BROKEN: 0xd, XALLOC: 0xe, XTAB: 0xf } as const

const nibbleNames = [
  'NOTAB', 'L1TAB', 'L2TAB', 'L3TAB', 'L4TAB', 'reserved-5', 'reserved-6', 'reserved-7',
  'reserved-8', 'L1TAB-pinned', 'L2TAB-pinned', 'L3TAB-pinned', 'L4TAB-pinned', 'BROKEN', 'XALLOC', 'XTAB',
] as const

/** @param type nibble, 0 to 15. */
export const pageTypeName = (type: number): string => nibbleNames[type] as string

/** Whether 4096 bytes of content follow in the record for an entry of this type. */
export const hasContent = (type: number): boolean => type < PAGE.BROKEN

/** 1 to 4 for a page table of that level (pinned or not), 0 for all else. */
export const tableLevel = (type: number): number => {
  const level = type & 7
  return level >= 1 && level <= 4 && type !== PAGE.BROKEN && type < PAGE.BROKEN ? level : 0
}

/** Types that the format keeps free: no saver may write them. */
export const isReservedType = (type: number): boolean => type >= 5 && type <= 8

/** Why the front part of a PAGE_DATA body cannot be used. */
export type PageDataFault = 'short' | 'empty' | 'array-too-long'

/** The front part of a PAGE_DATA body: count, reserved word, entries. The pages follow in the body. */
export interface PageData {
  readonly count: number
  readonly reserved: number
  /** 8 bytes an entry; valid until the walk goes on. */
  readonly entries: Uint8Array
  /** pfn of entry `i`, below 2^52. */
  pfn(i: number): number
  /** Type nibble of entry `i`. */
  type(i: number): number
  /** Bits 59 to 52 of entry `i`, which must be zero. */
  spare(i: number): number
  /** Entries that have content. */
  readonly contents: number
  /** Ordinary and absent pages only, with pfns below 2^40 and no spare bit set, as in nearly every record of an HVM guest. */
  readonly plain: boolean
}

/** Bytes in front of the pages of a PAGE_DATA body. */
export const pageDataFront = (count: number): number => 8 + 8 * count

/** Body length of a PAGE_DATA record. */
export const pageDataLength = (count: number, contents: number): number => pageDataFront(count) + PAGE_SIZE * contents

/** In the upper word of an entry: spare bits, and those of pfns from 2^40 on. */
const PLAIN_MASK = 0x0fffff00

/**
 * Makes entries readable.
 *
 * @param words the entries as 32-bit words, low word first (x86 streams are little-endian, as is every machine that runs this).
 */
export function pageDataOf(count: number, reserved: number, words: Uint32Array): PageData {
  let contents = 0
  let special = 0
  for (let at = 1; at < 2 * count; at += 2) {
    const high = words[at] as number
    const type = high >>> 28
    if (type < PAGE.BROKEN) contents++
    special |= type === PAGE.NOTAB || type === PAGE.XTAB ? high & PLAIN_MASK : PLAIN_MASK
  }
  return {
    count,
    reserved,
    contents,
    plain: special === 0,
    entries: new Uint8Array(words.buffer, words.byteOffset, 8 * count),
    pfn: (i) => ((words[2 * i + 1] as number) & 0xfffff) * 0x1_0000_0000 + (words[2 * i] as number),
    type: (i) => (words[2 * i + 1] as number) >>> 28,
    spare: (i) => ((words[2 * i + 1] as number) >>> 20) & 0xff,
  }
}
