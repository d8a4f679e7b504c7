import type { AnyObservedEvent, Observer } from '@xen-replication/plugin-api'
import type { VerbContext } from '../commands/command.ts'
import { writeJsonLine } from '../output/json.ts'
import type { Progress } from '../output/progress.ts'
import { fateText } from './fate-text.ts'
import { durationText } from '../output/units.ts'
import { outlookText, rateText } from './outlook-text.ts'
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
      if (event.kind === 'guest.fate') fates.set(`${event.data.side} ${event.data.guest ?? ''}`, fateText(event.data.guest, event.data.side, event.data.fate))
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
  const bar = progressBar(ctx)
  const remark = (text: string | undefined): void => {
    if (text !== undefined && ctx.verbosity >= 0) ctx.stderr.writeNow(`xr: ${text}\n`)
  }
  const protection = protectionRemarks(remark)
  return {
    observe: (event) => {
      remark(remarkOn(event))
      protection(event)
      bar(event)
    },
    close: () => Promise.resolve(),
  }
}

/** What people are told beside how far it is. */
function remarkOn({ kind, data }: AnyObservedEvent): string | undefined {
  switch (kind) {
    case 'save.outlook':
      return data.trend === 'not-shrinking' ? outlookText(data) : undefined
    case 'save.trouble':
      return `warning: ${data.what}: ${String(data.error)}`
    case 'link.down':
      return `the link to ${data.url} is lost`
    case 'link.waiting':
      return data.why === 'lost' ? `waiting for another link, for ${durationText(data.waitMs)} at most` : `nobody listens at ${data.url} yet; trying for ${durationText(data.waitMs)}`
    case 'guest.named':
      return `warning: a copy of ${data.guest} is here already, with the same UUID; the one that comes is called ${data.name}`
    default:
      return undefined
  }
}

function progressBar({ progress }: VerbContext): Observer['observe'] {
  let task: ReturnType<Progress['begin']> | undefined
  let label = ''
  let memory = 0
  let bytes = 0
  let bytesBefore = 0
  let writes = ''
  const begin = (text: string, total?: number): void => {
    task?.end()
    task = progress.begin(text, total)
  }
  return (event) => {
    switch (event.kind) {
      case 'operation.begin':
        label = event.data.verb
        return
      case 'guest.announced':
        label += ` ${event.data.guest}`
        memory = event.data.memoryBytes ?? 0
        return begin(label)
      case 'save.outlook':
        writes = `, the guest writes ${rateText(event.data.dirtyRate)}`
        return
      case 'save.pass-begin':
        if (event.data.pass === 'checkpoint') return task?.end()
        bytesBefore = bytes
        return begin(passText(label, event.data.pass, event.data.round) + writes, event.data.round === 0 ? memory : event.data.expected * PAGE_BYTES)
      case 'save.pages':
        bytes = event.data.bytes
        return task?.at(bytes - bytesBefore)
      case 'copy.progress':
        task ??= progress.begin(label, event.data.total)
        return task.at(event.data.bytes)
      case 'restore.pages':
        return task?.at(event.data.bytes)
      case 'strategy.move':
        if (event.data.event !== 'checkpoint-read') return
        task?.end() // a copy is held here; what comes from now on has no end to be on the way to
        task = undefined
        return
      case 'operation.end':
        task?.end()
        task = undefined
    }
  }
}

function passText(label: string, pass: string, round: number): string {
  return pass === 'live' ? `${label}, round ${round + 1}` : pass === 'verify' ? `${label}, once more to compare` : label
}
