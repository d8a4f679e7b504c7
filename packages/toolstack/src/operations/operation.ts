import { isXrError } from '@xen-replication/errors'
import type { Clock } from '@xen-replication/hypervisor'
import type { AnyObservedEvent, Observer } from '@xen-replication/plugin-api'
import { emitterOf, type Emit } from '../observe/fan-out.ts'
import { Wishes, type Wish } from '../replicate/wishes.ts'
import { ToolstackError } from '../toolstack-error.ts'

/** What is under way. */
export interface OperationFacts {
  readonly verb: string
  /** Name of the guest, as far as it is known. */
  readonly guest: string | undefined
  /** Of a guest of this host. */
  readonly domId?: number | undefined
  readonly uuid?: string | undefined
  readonly url: string | undefined
}

/** Something that takes time, is watched, and can be called off. */
export interface Operation {
  readonly id: string
  /** Aborts when the user or another process calls it off. */
  readonly signal: AbortSignal
  readonly emit: Emit
  /** What other processes ask of it while it goes on. */
  readonly wishes: Wishes
  /** Milliseconds, growing. */
  readonly now: () => number
}

/** Lets other processes see an operation and call it off. */
export interface Registry {
  /** @returns how to take it off the list again. */
  enter(id: string, facts: OperationFacts, abort: (who: string) => void, wish?: (wish: Wish) => void): Promise<{ observe: Observer['observe']; leave(): Promise<void> }>
}

/** Begins and ends operations, and tells observers and other processes of them. */
export interface Operations {
  /** @throws what `work` throws; ToolstackError TOOL_INTERRUPTED in place of what comes of being called off */
  run<T>(facts: OperationFacts, signal: AbortSignal, work: (operation: Operation) => Promise<T>): Promise<T>
}

export interface OperationsPorts {
  readonly clock: Clock
  readonly observer: Observer
  readonly registry: Registry
  readonly newId: () => string
}

export function createOperations({ clock, observer, registry, newId }: OperationsPorts): Operations {
  return {
    run: async (facts, signal, work) => {
      const id = newId()
      const stop = new AbortController()
      const wishes = new Wishes()
      const entry = await registry.enter(id, facts, (who) => stop.abort(calledOff(` by ${who}`)), (wish) => wishes.ask(wish))
      const forget = follow(signal, () => stop.abort(calledOff('')))
      const began = clock.now()
      const tell = (event: AnyObservedEvent): void => {
        entry.observe(event)
        observer.observe(event)
      }
      const emit = emitterOf({ observe: tell, close: () => Promise.resolve() }, id, () => clock.now())
      const end = (error?: unknown): void =>
        emit('operation.end', { outcome: outcomeOf(error), code: isXrError(error) ? error.code : undefined, seconds: (clock.now() - began) / 1000 })
      emit('operation.begin', { verb: facts.verb, guest: facts.guest, url: facts.url })
      try {
        const result = await work({ id, signal: stop.signal, emit, wishes, now: () => clock.now() })
        end()
        return result
      } catch (error) {
        const shown = stop.signal.aborted ? asInterrupted(error, facts, stop.signal.reason as ToolstackError) : error
        end(shown)
        throw shown
      } finally {
        forget()
        await entry.leave()
      }
    },
  }
}

/** Why an operation ends before its time; peers are told the same. */
const calledOff = (by: string): ToolstackError => new ToolstackError('TOOL_INTERRUPTED', `called off${by}`)

/** @returns how to stop following */
function follow(signal: AbortSignal, stop: () => void): () => void {
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  return () => signal.removeEventListener('abort', stop)
}

function outcomeOf(error: unknown): 'done' | 'failed' | 'interrupted' {
  if (error === undefined) return 'done'
  return isXrError(error) && error.code === 'TOOL_INTERRUPTED' ? 'interrupted' : 'failed'
}

/** Codes of errors that say no more than that somebody called something off. */
const CALLED_OFF: ReadonlySet<string> = new Set(['SAVE_ABORTED', 'RESTORE_ABORTED', 'LINK_CLOSED', 'SESSION_CLOSED'])

/** Other errors stay what they are: a hand-over that is undecided must be seen. */
function asInterrupted(error: unknown, { verb, guest }: OperationFacts, reason: ToolstackError): unknown {
  const only = error === reason || (error instanceof Error && error.name === 'AbortError') || (isXrError(error) && CALLED_OFF.has(error.code))
  return only ? new ToolstackError('TOOL_INTERRUPTED', `${verb}${guest === undefined ? '' : ` of ${guest}`} was ${reason.message}`, { cause: error }) : error
}
