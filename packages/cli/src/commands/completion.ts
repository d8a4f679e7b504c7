import { exitCodes } from '../exit-codes.ts'
import type { Verb } from './command.ts'

export const verb: Verb = {
  args: [{ name: 'SHELL', what: 'whose script', choices: ['bash', 'zsh', 'fish'] }],
  options: [],
  about: [],
  examples: [],
  run: () => Promise.resolve(exitCodes.notSupported),
}
