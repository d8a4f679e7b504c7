const ZERO_PAGE = Buffer.alloc(4096)

/** Whether a page, or the end of one, holds nothing but zeros. */
export const isZero = (page: Uint8Array): boolean => ZERO_PAGE.subarray(0, page.length).equals(page)
