import { HelperError } from '../helper-error.ts'
import { argumentKinds, type ArgumentKindName, type ArgumentOf } from './argument.ts'

/**
 * What a helper says to libxl, on its standard output. `answered`: libxl replies with one int. Messages that are callbacks have the bit of their
 * number set in the `cbflags` argument when libxl takes them. Source: tools/libs/light/libxl_save_msgs_gen.pl.
 */
export const messages = {
  log: { number: 1, takes: { level: 'u32', errno: 'int', context: 'string', text: 'string' }, answered: 'no' },
  progress: { number: 2, takes: { context: 'string', doing: 'string', done: 'u64', total: 'u64' }, answered: 'no' },
  suspend: { number: 3, takes: {}, answered: 'yes' },
  postcopy: { number: 4, takes: {}, answered: 'yes' },
  checkpoint: { number: 5, takes: {}, answered: 'yes' },
  waitCheckpoint: { number: 6, takes: {}, answered: 'yes' },
  switchQemuLogdirty: { number: 7, takes: { domId: 'u32', enable: 'u32' }, answered: 'yes' },
  staticDataDone: { number: 8, takes: { missing: 'u32' }, answered: 'yes' },
  restoreResults: { number: 9, takes: { store: 'u64', console: 'u64' }, answered: 'no' },
  complete: { number: 10, takes: { result: 'int', errno: 'int' }, answered: 'yes' },
} as const satisfies Readonly<Record<string, { readonly number: number; readonly takes: Readonly<Record<string, ArgumentKindName>>; readonly answered: 'yes' | 'no' }>>

type Messages = typeof messages
export type MessageName = keyof Messages
/** Messages that libxl replies to. */
export type Question = { [N in MessageName]: Messages[N]['answered'] extends 'yes' ? N : never }[MessageName]
/** The arguments of a message by name. */
export type ArgumentsOf<N extends MessageName> = { readonly [A in keyof Messages[N]['takes']]: Messages[N]['takes'][A] extends ArgumentKindName ? ArgumentOf<Messages[N]['takes'][A]> : never }
/** A message as it came. */
export type Message = { readonly [N in MessageName]: { readonly name: N; readonly values: ArgumentsOf<N> } }[MessageName]

/** u16 length of what follows, u16 number of the message. */
const MESSAGE_HEAD = 4
/** Longest message behind its length. */
const MESSAGE_MAX = 0xffff

/** A message as it goes over the pipe. @throws HelperError HELPER_PROTOCOL for one that is too long */
export function encodeMessage<N extends MessageName>(name: N, values: ArgumentsOf<N>): Uint8Array {
  const { number, takes } = messages[name]
  const list = Object.entries(takes).map(([key, kind]) => ({ kind: argumentKinds[kind as 'string'], value: (values as Record<string, string>)[key] as string }))
  const length = list.reduce((sum, { kind, value }) => sum + kind.size(value), MESSAGE_HEAD - 2)
  if (length > MESSAGE_MAX) throw new HelperError('HELPER_PROTOCOL', `a message '${name}' would have ${length} bytes, ${MESSAGE_MAX} is the most`)
  const bytes = new Uint8Array(2 + length)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, length, true)
  view.setUint16(2, number, true)
  let at = MESSAGE_HEAD
  for (const { kind, value } of list) {
    kind.put(view, at, value)
    at += kind.size(value)
  }
  return bytes
}

const names = new Map<number, MessageName>(Object.entries(messages).map(([name, { number }]) => [number, name as MessageName]))

/** Reads one message behind its length: number and arguments. @throws HelperError HELPER_PROTOCOL */
export function decodeMessage(body: Uint8Array): Message {
  const view = new DataView(body.buffer, body.byteOffset, body.length)
  try {
    const number = view.getUint16(0, true)
    const name = names.get(number)
    if (name === undefined) throw new HelperError('HELPER_PROTOCOL', `there is no message ${number}`)
    const values: Record<string, number | string> = {}
    let at = 2
    for (const [key, kind] of Object.entries(messages[name].takes)) [values[key], at] = argumentKinds[kind].get(view, at)
    if (at !== body.length) throw new HelperError('HELPER_PROTOCOL', `a message '${name}' has ${body.length - at} bytes too many`)
    return { name, values } as unknown as Message
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new HelperError('HELPER_PROTOCOL', `a message of ${body.length} bytes ends within its arguments`, { cause: error })
  }
}
