import { ArbiterError } from '../arbiter-error.ts'

/** A key of etcd. Revisions count changes of the whole cluster and only ever grow. */
export interface KeyValue {
  readonly key: string
  readonly value: string
  readonly createRevision: bigint
  readonly modRevision: bigint
}

export const encoded = (text: string): string => Buffer.from(text, 'utf8').toString('base64')

/** The first key after all that start with `prefix`, in base64. */
export function endOfPrefix(prefix: string): string {
  const bytes = Buffer.from(prefix, 'utf8')
  const last = bytes.length - 1
  bytes.writeUInt8(bytes.readUInt8(last) + 1, last) // the last byte is that of a slash
  return bytes.toString('base64')
}

/** The one key in the answer to a range. @returns undefined when there is none. @throws ArbiterError ARBITER_DAMAGED */
export function onlyKey(body: unknown): KeyValue | undefined {
  const kvs = member(body, 'kvs') ?? []
  if (!Array.isArray(kvs) || kvs.length > 1) throw strange()
  return kvs.length === 0 ? undefined : keyValueOf(kvs[0])
}

/** The last of the answers to the parts of a transaction. */
export function lastResponse(body: unknown): unknown {
  const responses = member(body, 'responses')
  if (!Array.isArray(responses) || responses.length === 0) throw strange()
  return member(responses.at(-1), 'response_range')
}

function keyValueOf(body: unknown): KeyValue {
  const [key, value] = [member(body, 'key'), member(body, 'value')]
  const [created, changed] = [member(body, 'create_revision'), member(body, 'mod_revision')]
  if (typeof key !== 'string' || typeof value !== 'string' || !isRevision(created) || !isRevision(changed)) throw strange()
  return { key: decoded(key), value: decoded(value), createRevision: BigInt(created), modRevision: BigInt(changed) }
}

function member(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? (body as Readonly<Record<string, unknown>>)[name] : undefined
}

const isRevision = (value: unknown): value is string => typeof value === 'string' && /^\d{1,19}$/.test(value)
const decoded = (text: string): string => Buffer.from(text, 'base64').toString('utf8')
const strange = (): ArbiterError => new ArbiterError('ARBITER_DAMAGED', 'the answer is not as etcd gives it', { hint: 'look whether it is etcd 3.4 or later that listens there' })
