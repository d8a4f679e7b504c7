import { QmpError } from './qmp-error.ts'

/** Longest message that is taken, in characters; a schema has 200,000. */
const LINE_MAX = 16 * 1024 * 1024

/** What a QEMU says. Source: QEMU, docs/interop/qmp-spec. */
export type QmpMessage =
  | { readonly kind: 'greeting' }
  | { readonly kind: 'return'; readonly id: unknown; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: unknown; readonly errorClass: string; readonly desc: string }
  | { readonly kind: 'event'; readonly name: string; readonly data: Readonly<Record<string, unknown>> }

/** Messages out of bytes as they come: one a line. */
export class QmpLines {
  readonly #decoder = new TextDecoder()
  #text = ''

  /** @throws QmpError QMP_MALFORMED */
  take(bytes: Uint8Array): readonly QmpMessage[] {
    this.#text += this.#decoder.decode(bytes, { stream: true })
    const lines = this.#text.split('\n')
    this.#text = lines.pop() ?? ''
    if (this.#text.length > LINE_MAX) throw new QmpError('QMP_MALFORMED', `a line of more than ${LINE_MAX} characters`)
    return lines.filter((line) => line.trim() !== '').map(messageIn)
  }
}

type Told = Readonly<Record<string, unknown>>
const isTold = (value: unknown): value is Told => typeof value === 'object' && value !== null && !Array.isArray(value)

function messageIn(line: string): QmpMessage {
  const told = parsed(line)
  if (typeof told['event'] === 'string') return { kind: 'event', name: told['event'], data: isTold(told['data']) ? told['data'] : {} }
  if ('return' in told) return { kind: 'return', id: told['id'], value: told['return'] }
  if (isTold(told['error'])) return { kind: 'error', id: told['id'], errorClass: String(told['error']['class']), desc: String(told['error']['desc']) }
  if ('QMP' in told) return { kind: 'greeting' }
  throw new QmpError('QMP_MALFORMED', `a message that is no answer and no event: ${line.slice(0, 80)}`)
}

function parsed(line: string): Told {
  try {
    const value: unknown = JSON.parse(line)
    if (isTold(value)) return value
  } catch {
    // said below
  }
  throw new QmpError('QMP_MALFORMED', `a line that is no JSON object: ${line.slice(0, 80)}`, { hint: 'is a QMP monitor at that address?' })
}
