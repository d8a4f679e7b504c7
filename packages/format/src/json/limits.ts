/** Schema of the document. */
export const DECODE_SCHEMA = 'xr.decode/1'

/** Longest body or block, in bytes, that is one item; longer ones go on in `more` items. Also what is described by name at most. */
export const ITEM_BODY_MAX = 4 * 1024 * 1024

/** Bytes of an item that holds nothing but bytes. A multiple of 3, so its base64 has no padding. */
export const PIECE_BYTES = 768 * 1024

/** Most PAGE_DATA entries that are listed; a record with more is shown as bytes. The savers write at most 1024. */
export const LISTED_MAX = 64 * 1024

/** Most page contents in one item. */
export const ITEM_PAGES_MAX = 1024

/** Output is handed on when there are this many bytes of it. */
export const HAND_ON_BYTES = 256 * 1024

/** Longest item that is read, in characters: bounded by what a string can be. */
export const ITEM_TEXT_MAX = 256 * 1024 * 1024

/** Longest text around the items, in characters. */
export const FRAME_TEXT_MAX = 64 * 1024

/** Brackets open at once; `describeImage()` opens fewer than twenty. */
export const DEPTH_MAX = 64

/** Longest message about an item, in characters: what was found in it may be long. */
export const MESSAGE_MAX = 400
