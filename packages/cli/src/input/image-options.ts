import type { VerifyOptions } from '@xen-replication/format'
import { textOption, type Option, type OptionValues } from '../commands/command.ts'

const formats = ['auto', 'xl', 'libxl', 'libxc', 'legacy', 'qemu'] as const
const domains = ['pv', 'hvm'] as const
const streamTypes = ['plain', 'remus', 'colo'] as const

/** What the user knows of an image, for all verbs that read one. */
export const formatOption: Option = { flags: '--format <KIND>', what: 'what the file is', choices: formats, standard: 'auto: its first bytes tell' }
/** What the restorer would be told. */
export const restorerOptions: readonly Option[] = [
  { flags: '--domain <TYPE>', what: 'guest type that the restorer is told', choices: domains, standard: 'the one in the image' },
  { flags: '--stream-type <TYPE>', what: 'kind of stream that the restorer is told', choices: streamTypes, standard: 'the one the image implies' },
]

/** `--format` as given. */
export function formatOf(options: OptionValues): (typeof formats)[number] {
  return chosen(formats, textOption(options, 'format')) ?? 'auto'
}

/** As `formatOf`, for what reads images of Xen. */
export function imageFormatOf(options: OptionValues): Exclude<(typeof formats)[number], 'qemu'> {
  const format = formatOf(options)
  return format === 'qemu' ? 'auto' : format
}

/** All three options as the verifier takes them. */
export function told(options: OptionValues): Pick<VerifyOptions, 'format' | 'domain' | 'streamType'> {
  const domain = chosen(domains, textOption(options, 'domain'))
  const streamType = chosen(streamTypes, textOption(options, 'streamType'))
  return { format: imageFormatOf(options), ...(domain === undefined ? {} : { domain }), ...(streamType === undefined ? {} : { streamType }) }
}

const chosen = <T extends string>(words: readonly T[], word: string | undefined): T | undefined => words.find((one) => one === word)
