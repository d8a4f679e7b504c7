import type { DomId } from '@xen-replication/hypervisor'
import { HelperError } from './helper-error.ts'
import type { HelperJob, RestoreJob, SaveJob } from './job.ts'
import { messages, type Question } from './protocol/message.ts'

/** What a command line asks for. */
export type Command = { readonly ask: 'help' } | { readonly ask: 'version' } | { readonly ask: 'job'; readonly job: HelperJob }

/** Options of ours, which come before the mode: libxl knows none of them. */
type Option = 'compact'

const MODES = {
  '--save-domain': ['stream_fd', 'back_fd', 'domid', 'flags', 'cbflags', 'stream_type'],
  '--restore-domain': ['stream_fd', 'back_fd', 'domid', 'store_port', 'store_domid', 'console_port', 'console_domid', 'cbflags', 'stream_type'],
} as const

const SAVE_LIVE = 1
const SAVE_DEBUG = 2
const STREAM_TYPES = ['plain', 'remus', 'colo'] as const
/** Callbacks without which a stream of a kind cannot be made or read. */
const NEEDS = {
  'save plain': ['suspend'],
  'save remus': ['suspend', 'postcopy', 'checkpoint'],
  'restore plain': [],
  'restore remus': ['checkpoint'],
} as const satisfies Readonly<Record<string, readonly Question[]>>

/**
 * Reads the command line. Options may also come in the environment variable, because who sets LIBXL_SAVE_HELPER cannot give any.
 *
 * @param options value of XR_SAVE_HELPER_OPTIONS: options separated by spaces.
 * @throws HelperError HELPER_USAGE, HELPER_UNSUPPORTED
 */
export function parseArguments(argv: readonly string[], options: string | undefined): Command {
  const given = new Set<Option>()
  for (const word of (options ?? '').split(' ').filter((word) => word !== '')) given.add(optionOf(word, 'XR_SAVE_HELPER_OPTIONS'))
  for (const [at, word] of argv.entries()) {
    if (word === '--help') return { ask: 'help' }
    if (word === '--version') return { ask: 'version' }
    if (word in MODES) return { ask: 'job', job: jobOf(word as keyof typeof MODES, argv.slice(at + 1), given) }
    given.add(optionOf(word, 'the command line'))
  }
  throw usage('neither --save-domain nor --restore-domain')
}

function optionOf(word: string, where: string): Option {
  if (word === '--compact') return 'compact'
  throw usage(`${where} has an unknown option '${word}'`)
}

function jobOf(mode: keyof typeof MODES, words: readonly string[], options: ReadonlySet<Option>): HelperJob {
  const names = MODES[mode]
  if (words.length !== names.length) throw usage(`${mode} takes ${names.length} arguments (${names.join(' ')}), not ${words.length}`)
  const values = new Map<string, number>(names.map((name, i) => [name, numberOf(name, words[i] as string)]))
  const value = (name: string): number => values.get(name) as number
  return mode === '--save-domain' ? saveJob(value, options) : restoreJob(value)
}

type ValueOf = (name: string) => number

function saveJob(value: ValueOf, options: ReadonlySet<Option>): SaveJob {
  const flags = value('flags')
  return {
    verb: 'save',
    ...jobParts('save', value),
    manner: (flags & SAVE_LIVE) === 0 ? 'stopped' : 'live',
    verify: (flags & SAVE_DEBUG) !== 0,
    holes: options.has('compact') ? 'left-out' : 'as-xen',
  }
}

function restoreJob(value: ValueOf): RestoreJob {
  const end = (ring: string) => ({ port: value(`${ring}_port`), domId: value(`${ring}_domid`) })
  return { verb: 'restore', ...jobParts('restore', value), rings: { store: end('store'), console: end('console') } }
}

function jobParts(verb: 'save' | 'restore', value: ValueOf): Pick<HelperJob, 'streamFd' | 'domId' | 'stream' | 'callbacks'> {
  const stream = STREAM_TYPES[value('stream_type')]
  if (stream === undefined) throw usage(`there is no stream type ${value('stream_type')}`)
  if (stream === 'colo') throw new HelperError('HELPER_UNSUPPORTED', 'this helper knows no COLO', { hint: 'start xl without LIBXL_SAVE_HELPER' })
  const offered = value('cbflags')
  const callbacks = new Set<Question>()
  for (const [name, { number, answered }] of Object.entries(messages)) if (answered === 'yes' && (offered & (1 << number)) !== 0) callbacks.add(name as Question)
  for (const name of NEEDS[`${verb} ${stream}`]) if (!callbacks.has(name)) throw usage(`libxl offers no callback '${name}', which a ${stream} ${verb} needs`)
  return { streamFd: value('stream_fd'), domId: value('domid') as DomId, stream, callbacks }
}

/** Arguments are decimal; only `back_fd` may be negative, when there is none. */
function numberOf(name: string, word: string): number {
  const fits = /^\d{1,10}$/.test(word) || (name === 'back_fd' && word === '-1')
  const number = Number(word)
  if (!fits || number > 0xffff_ffff) throw usage(`${name} is '${word}', which is no number`)
  return number
}

const usage = (what: string): HelperError =>
  new HelperError('HELPER_USAGE', what, { hint: 'xl starts this program: LIBXL_SAVE_HELPER=$(which xr-save-helper) xl save DOMAIN FILE' })
