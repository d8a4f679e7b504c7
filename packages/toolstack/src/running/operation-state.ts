import type { AnyObservedEvent } from '@xen-replication/plugin-api'
import type { GuestFate, Outlook } from '../observe/tool-events.ts'
import type { OperationFacts } from '../operations/operation.ts'

/** How far an operation is. */
export interface OperationProgress {
  /** Which way through memory, and which round of it. */
  readonly pass?: string
  readonly round?: number
  /** Pages of this pass, done and expected. */
  readonly sent?: number
  readonly expected?: number
  /** Of the whole stream. */
  readonly bytes?: number
  readonly outlook?: Outlook
  /** Of a replication: which side this is and where it stands, and its last epochs. */
  readonly strategy?: { readonly role: 'primary' | 'secondary'; readonly state: string }
  readonly epoch?: { readonly acknowledged: number; readonly pauseMs?: number; readonly pages?: number; readonly bytes?: number; readonly latencyMs?: number }
}

/** An operation as other processes see it. */
export interface OperationState extends OperationFacts {
  readonly id: string
  readonly pid: number
  readonly seconds: number
  readonly progress: OperationProgress
  /** How its guest stands, once that was said. */
  readonly fate: GuestFate | undefined
}

/** How an operation ended. */
export interface OperationEnd {
  readonly outcome: 'done' | 'failed' | 'interrupted'
  readonly code: string | undefined
}

/** Keeps what events say of an operation. */
export class OperationWatch {
  #facts: OperationFacts
  #progress: OperationProgress = {}
  #fate: GuestFate | undefined
  #end: OperationEnd | undefined

  constructor(facts: OperationFacts) {
    this.#facts = facts
  }

  /** Undefined while it lasts. */
  get end(): OperationEnd | undefined {
    return this.#end
  }

  get guest(): string | undefined {
    return this.#facts.guest
  }

  state(id: string, pid: number, seconds: number): OperationState {
    return { ...this.#facts, id, pid, seconds, progress: this.#progress, fate: this.#fate }
  }

  see(event: AnyObservedEvent): void {
    switch (event.kind) {
      case 'guest.announced':
        this.#facts = { ...this.#facts, guest: event.data.guest }
        return
      case 'save.pass-begin':
        this.#progress = { ...this.#progress, pass: event.data.pass, round: event.data.round, sent: 0, expected: event.data.expected }
        return
      case 'save.pages':
        this.#progress = { ...this.#progress, sent: event.data.sent, bytes: event.data.bytes }
        return
      case 'save.outlook':
        this.#progress = { ...this.#progress, outlook: event.data }
        return
      case 'restore.pages':
        this.#progress = { ...this.#progress, bytes: event.data.bytes }
        return
      case 'strategy.move':
        this.#progress = { ...this.#progress, strategy: { role: event.data.role, state: event.data.to } }
        return
      case 'epoch.staged':
      case 'epoch.acknowledged':
      case 'restore.checkpoint':
        this.#progress = { ...this.#progress, epoch: { ...(this.#progress.epoch ?? { acknowledged: 0 }), ...epochOf(event) } }
        return
      case 'guest.fate':
        this.#fate = event.data.fate
        return
      case 'operation.end':
        this.#end = { outcome: event.data.outcome, code: event.data.code }
    }
  }
}

/** What an event says of epochs; `acknowledged` counts them. */
function epochOf(event: AnyObservedEvent): Partial<NonNullable<OperationProgress['epoch']>> {
  if (event.kind === 'epoch.staged') return { pauseMs: event.data.pauseMs, pages: event.data.pages, bytes: event.data.bytes }
  if (event.kind === 'epoch.acknowledged') return { acknowledged: event.data.epoch + 1, latencyMs: event.data.latencyMs }
  return event.kind === 'restore.checkpoint' ? { acknowledged: event.data.number + 1, bytes: event.data.bytes } : {}
}
