import * as http from 'node:http'
import * as https from 'node:https'
import { ArbiterError } from '../arbiter-error.ts'

/** Where JSON is sent, and over which connections. */
export interface Endpoint {
  readonly host: string
  readonly port: number
  readonly agent: http.Agent
  readonly tls: boolean
}

export interface Reply {
  readonly status: number
  readonly body: unknown
}

/** An answer of etcd to any question of ours takes less, in bytes. */
const LONGEST = 256 * 1024

/** What is sent besides the document. */
export interface PostOptions {
  readonly headers: http.OutgoingHttpHeaders
  readonly signal: AbortSignal
}

/**
 * Sends one JSON document and takes one. A connection that was kept and turns out to be closed is replaced, so the document may arrive twice.
 *
 * @throws ArbiterError ARBITER_UNREACHABLE, ARBITER_DAMAGED when no JSON comes back or too much of it
 */
export async function post(to: Endpoint, path: string, document: unknown, options: PostOptions): Promise<Reply> {
  const where = `${to.host.includes(':') ? `[${to.host}]` : to.host}:${to.port}`
  try {
    const response = await sent(to, path, JSON.stringify(document), options)
    return { status: response.statusCode ?? 0, body: await collect(response, where) }
  } catch (error) {
    if (error instanceof ArbiterError) throw error
    throw new ArbiterError('ARBITER_UNREACHABLE', `etcd at ${where} cannot be reached: ${causeText(error as Error)}`, { cause: error, hint: 'look whether it runs and listens there' })
  }
}

function sent(to: Endpoint, path: string, body: string, { headers, signal }: PostOptions): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const all = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers }
    const request = (to.tls ? https : http).request({ host: to.host, port: to.port, agent: to.agent, method: 'POST', path, headers: all, signal })
    request.once('response', resolve)
    request.once('error', (error) => {
      if (request.reusedSocket && !signal.aborted) resolve(sent(to, path, body, { headers, signal }))
      else reject(error)
    })
    request.end(body)
  })
}

async function collect(response: http.IncomingMessage, where: string): Promise<unknown> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of response as AsyncIterable<Buffer>) {
    length += part.length
    if (length > LONGEST) throw strange(`${where} sends more than ${LONGEST} bytes`)
    parts.push(part)
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'))
  } catch {
    throw strange(`${where} does not answer in JSON`)
  }
}

/** Of several addresses that were tried, errors come together with an empty message. */
function causeText(cause: Error): string {
  if (cause instanceof AggregateError && cause.message === '') return cause.errors.map((error) => (error as Error).message).join('; ')
  return cause.message
}

const strange = (what: string): ArbiterError => new ArbiterError('ARBITER_DAMAGED', what, { hint: 'look whether it is etcd 3.4 or later that listens there' })
