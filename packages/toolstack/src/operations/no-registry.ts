import type { Registry } from './operation.ts'

/** For those who want nobody to see what they do. */
export const noRegistry: Registry = { enter: () => Promise.resolve({ observe: () => undefined, leave: () => Promise.resolve() }) }
