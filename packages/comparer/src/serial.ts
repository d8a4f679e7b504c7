// Sequence numbers of TCP: 32 bits that wrap around. Source: RFC 9293, 3.4; RFC 1982.

/** How far `a` is ahead of `b`: negative when it is behind, right within 2³¹. */
export const ahead = (a: number, b: number): number => (a - b) | 0

/** `n` further. */
export const further = (a: number, n: number): number => (a + n) >>> 0

/** Whichever is ahead; `b` when there is no `a`. */
export const later = (a: number | undefined, b: number): number => (a === undefined || ahead(b, a) > 0 ? b : a)
