/** Longest wait for a guest to take a request, and then to stand, in milliseconds. Source: libxl, 60 s each. */
export const ANSWER_MS = 60_000
export const STAND_MS = 60_000
/** How often is looked although nothing was heard, in milliseconds. */
export const LOOK_MS = 1_000
