import { BackendError, backendCodes, type BackendErrorCode } from '@xen-replication/hypervisor'
import { faultCalls, type FaultCall } from './calls.ts'

/** What a fault does. */
export type FaultAction =
  /** The call is not made and fails. */
  | { readonly what: 'fail'; readonly code: BackendErrorCode }
  /** The call takes so many milliseconds longer. */
  | { readonly what: 'delay'; readonly ms: number }
  /** What is written to mapped frames arrives in part: the second half of the last page stays as it was. */
  | { readonly what: 'torn' }
  /** The guest does not answer. */
  | { readonly what: 'timeout' }
  /** The device model dies: this call to it and all later ones fail. */
  | { readonly what: 'lose' }
  /** Before the call is made the guest crashes, or is destroyed by somebody else, or this process dies at once. */
  | { readonly what: 'crash' }
  | { readonly what: 'vanish' }
  | { readonly what: 'kill' }

/** Something that goes wrong with a call: from its n-th time to its m-th, counted from 1 over the whole host. */
export interface Fault {
  readonly call: FaultCall
  readonly first: number
  readonly last: number
  readonly action: FaultAction
}

const FORM = /^([A-Za-z.]+)(?::(\d+)(\+|-(\d+))?)?=([a-z]+)(?:\(([^()]*)\))?$/

/**
 * Reads a plan of faults: `CALL[:N|:N+|:N-M]=ACTION[(…)]`, separated by commas. Without a number every call is meant. Actions are
 * `fail`, `fail(CODE)`, `delay(20ms)`, `torn`, `timeout`, `lose`, `crash`, `vanish`, `kill`.
 *
 * @example parseFaults('suspend:2=timeout,map:17=fail,populate:3+=fail(BACKEND_MEMORY)')
 * @throws BackendError BACKEND_UNSUPPORTED when the text is no plan.
 */
export function parseFaults(text: string): readonly Fault[] {
  return text.split(',').map((part) => part.trim()).filter((part) => part !== '').map(parseFault)
}

function parseFault(text: string): Fault {
  const match = FORM.exec(text)
  if (match === null) throw noPlan(text, 'it has not the form CALL:N=ACTION')
  const [, call, from, range, to, what, detail] = match as unknown as [string, string, string | undefined, string | undefined, string | undefined, string, string | undefined]
  if (!isCall(call)) throw noPlan(text, `there is no call ${call}; there are ${Object.keys(faultCalls).join(', ')}`)
  const first = from === undefined ? 1 : Number(from)
  const last = from === undefined || range === '+' ? Infinity : to === undefined ? first : Number(to)
  if (first < 1 || last < first) throw noPlan(text, 'calls count from 1 upwards')
  return { call, first, last, action: parseAction(text, call, what, detail) }
}

function parseAction(text: string, call: FaultCall, what: string, detail: string | undefined): FaultAction {
  if (what === 'delay') {
    const ms = Number(/^(\d+(?:\.\d+)?)(?:ms)?$/.exec(detail ?? '')?.[1] ?? NaN)
    if (Number.isNaN(ms)) throw noPlan(text, 'a delay is given as delay(20ms)')
    return { what, ms }
  }
  if (what === 'fail') {
    const code = detail ?? faultCalls[call]
    if (!(code in backendCodes)) throw noPlan(text, `there is no code ${code}`)
    return { what, code: code as BackendErrorCode }
  }
  if (detail !== undefined) throw noPlan(text, `${what} takes nothing in brackets`)
  if (!isBare(what)) throw noPlan(text, `there is no action ${what}`)
  if (what === 'torn' && call !== 'map') throw noPlan(text, 'only map can be torn')
  if (what === 'timeout' && call !== 'suspend') throw noPlan(text, 'only suspend can time out')
  if (what === 'lose' && !call.startsWith('model.')) throw noPlan(text, 'only calls to the device model can lose it')
  return { what }
}

const BARE = ['torn', 'timeout', 'lose', 'crash', 'vanish', 'kill'] as const
const isBare = (what: string): what is (typeof BARE)[number] => (BARE as readonly string[]).includes(what)
const isCall = (call: string): call is FaultCall => Object.hasOwn(faultCalls, call)

const noPlan = (text: string, why: string): BackendError =>
  new BackendError('BACKEND_UNSUPPORTED', `"${text}" is no fault: ${why}`, { hint: 'for example suspend:2=timeout,map:17=fail' })
