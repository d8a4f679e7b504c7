import { setTimeout } from 'node:timers/promises'
import { interrupted } from '../cli-error.ts'

/** Lets time pass, in milliseconds. @throws CliError CLI_INTERRUPTED when a signal comes */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => {
    throw interrupted()
  })
}
