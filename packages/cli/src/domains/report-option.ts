import { resolve } from 'node:path'
import { textOption, type Option, type OptionValues, type VerbContext } from '../commands/command.ts'

/** Of verbs that protect guests, or show how that is done. */
export const reportOption: Option = { flags: '--report <FILE>', what: 'write a page with plots of every epoch and the story of what happened; it is one HTML file that needs nothing else' }

/** The file that `--report` names. */
export function reportPath(options: OptionValues, { cwd }: Pick<VerbContext, 'cwd'>): string | undefined {
  const path = textOption(options, 'report')
  return path === undefined ? undefined : resolve(cwd, path)
}

/** What the observer `report` is told; nothing where no report is wanted. */
export function reportSettings(options: OptionValues, ctx: Pick<VerbContext, 'cwd'>): { readonly report?: string } {
  const report = reportPath(options, ctx)
  return report === undefined ? {} : { report }
}
