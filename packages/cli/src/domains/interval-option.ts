import { textOption, type OptionValues } from '../commands/command.ts'
import { millisecondsOf } from './quantity.ts'

/** The time between checkpoints, in milliseconds; a bare number is ms. */
export function intervalOption(options: OptionValues): { readonly interval?: number } {
  const text = textOption(options, 'interval')
  if (text === undefined) return {}
  return { interval: /^\d+$/.test(text) ? Number(text) : millisecondsOf(text, '-i') }
}
