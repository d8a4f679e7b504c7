import type { AnyObservedEvent, Observer } from '@xen-replication/plugin-api'
import type { VerbContext } from '../commands/command.ts'
import { writeJsonLine } from '../output/json.ts'
import type { Progress } from '../output/progress.ts'
import { fateText } from './fate-text.ts'
import { outlookText } from './outlook-text.ts'
import { protectionRemarks } from './protection-remarks.ts'

const PAGE_BYTES = 4096

/** Shows what operations tell: as progress and remarks on stderr, or as lines of JSON on stdout. */
export interface Follower extends Observer {
  /** How guests stand, as far as anybody said; undefined when nobody did. */
  fate(): string | undefined
}

export function followOperation(ctx: VerbContext): Follower {
  const shown = ctx.jsonl ? jsonLines(ctx) : progressLines(ctx)
  const fates = new Map<string, string>()
  return {
    observe: (event) => {
      if (event.kind === 'guest.fate') fates.set(`${event.data.side} ${event.data.guest}`, fateText(event.data.guest, event.data.side, event.data.fate))
      shown.observe(event)
    },
    close: () => shown.close(),
    fate: () => (fates.size === 0 ? undefined : [...fates.values()].join('; ')),
  }
}

function jsonLines({ stdout }: VerbContext): Observer {
  let written: Promise<void> = Promise.resolve()
  const line = ({ kind, at, operation, data }: AnyObservedEvent): object => ({ event: kind, at: Math.round(at), operation, ...data, ...(kind === 'strategy.move' ? { event: kind, on: data.event } : {}), ...('error' in data ? { error: String(data.error) } : {}) })
  return {
    observe: (event) => {
      written = written.then(() => writeJsonLine(stdout, line(event))).catch(() => undefined) // nobody reads: the operation goes on
    },
    close: () => written,
  }
}

function progressLines(ctx: VerbContext): Observer {
  let task: ReturnType<Progress['begin']> | undefined
  let label = ''
  let memory = 0
  let bytes = 0
  let bytesBefore = 0
  const begin = (text: string, total?: number): void => {
    task?.end()
    task = ctx.progress.begin(text, total)
  }
  const remark = (text: string): void => {
    if (ctx.verbosity >= 0) ctx.stderr.writeNow(`xr: ${text}\n`)
  }
  const protection = protectionRemarks(remark)
  return {
    observe: (event) => {
      protection(event)
      switch (event.kind) {
        case 'operation.begin':
          label = event.data.verb
          return
        case 'guest.announced':
          label += ` ${event.data.guest}`
          memory = event.data.memoryBytes ?? 0
          return begin(label)
        case 'save.pass-begin':
          if (event.data.pass === 'checkpoint') return task?.end()
          bytesBefore = bytes
          return begin(passText(label, event.data.pass, event.data.round), event.data.round === 0 ? memory : event.data.expected * PAGE_BYTES)
        case 'save.pages':
          bytes = event.data.bytes
          return task?.at(bytes - bytesBefore)
        case 'restore.pages':
          return task?.at(event.data.bytes)
        case 'save.outlook':
          return event.data.trend === 'not-shrinking' ? remark(outlookText(event.data)) : undefined
        case 'save.trouble':
          return remark(`warning: ${event.data.what}: ${String(event.data.error)}`)
        case 'operation.end':
          task?.end()
          task = undefined
      }
    },
    close: () => Promise.resolve(),
  }
}

function passText(label: string, pass: string, round: number): string {
  return pass === 'live' ? `${label}, round ${round + 1}` : pass === 'verify' ? `${label}, once more to compare` : label
}
