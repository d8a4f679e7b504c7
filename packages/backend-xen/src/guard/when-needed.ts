import type { StartGuard } from './guard.ts'

/** Starts a guard's process. What starts processes is loaded with the first one: most saves are of guests that stand, and change nothing. */
export const whenNeeded: StartGuard = async (domId) => {
  const { startGuard } = await import('./start-guard.ts')
  return startGuard(domId)
}
