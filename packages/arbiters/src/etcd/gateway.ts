import { readFileSync } from 'node:fs'
import * as http from 'node:http'
import * as https from 'node:https'
import { ArbiterError } from '../arbiter-error.ts'
import type { EtcdAddress } from './address.ts'
import { post, type Endpoint, type Reply } from './post.ts'

/** What gRPC says when a token of a login is missing or has run out. */
const UNAUTHENTICATED = 16

/**
 * The JSON gateway of an etcd cluster. Every question goes to the member that answered last, then to the others; all of ours may be asked twice.
 *
 * @see etcd "gRPC gateway": /v3/kv/range, /v3/kv/txn, /v3/auth/authenticate; bytes in base64, 64-bit numbers as strings, defaults left out
 */
export class EtcdGateway {
  readonly #address: EtcdAddress
  readonly #endpoints: readonly Endpoint[]
  readonly #agent: http.Agent
  #first = 0
  #login: string | undefined

  /** @throws ArbiterError ARBITER_ADDRESS when a file cannot be read */
  constructor(address: EtcdAddress) {
    this.#address = address
    this.#agent = agentFor(address)
    this.#endpoints = address.endpoints.map((one) => ({ ...one, agent: this.#agent, tls: address.tls }))
  }

  /** @throws ArbiterError ARBITER_UNREACHABLE, ARBITER_DAMAGED when no member answers, or one refuses */
  async call(path: string, document: unknown, signal: AbortSignal): Promise<unknown> {
    const troubles: string[] = []
    for (let i = 0; i < this.#endpoints.length; i++) {
      signal.throwIfAborted()
      const at = (this.#first + i) % this.#endpoints.length
      try {
        const body = await this.#askOne(this.#endpoints[at] as Endpoint, path, document, signal)
        this.#first = at
        return body
      } catch (error) {
        if (!(error instanceof ArbiterError)) throw error
        troubles.push(error.message)
      }
    }
    throw new ArbiterError('ARBITER_UNREACHABLE', troubles.join('; '), { hint: 'look whether etcd runs, has a leader and lets this user in' })
  }

  close(): void {
    this.#agent.destroy()
  }

  async #askOne(endpoint: Endpoint, path: string, document: unknown, signal: AbortSignal): Promise<unknown> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(this.#address.timeoutMs / this.#endpoints.length))])
    const reply = await post(endpoint, path, document, { headers: await this.#headers(endpoint, limit), signal: limit })
    if (!isUnauthenticated(reply) || this.#login === undefined) return bodyOf(reply)
    this.#login = undefined
    return bodyOf(await post(endpoint, path, document, { headers: await this.#headers(endpoint, limit), signal: limit }))
  }

  async #headers(endpoint: Endpoint, signal: AbortSignal): Promise<http.OutgoingHttpHeaders> {
    const { user, passwordFile } = this.#address
    if (user === undefined || passwordFile === undefined) return {}
    if (this.#login === undefined) {
      const password = fileOf(passwordFile).toString('utf8').replace(/\r?\n$/, '')
      const body = bodyOf(await post(endpoint, '/v3/auth/authenticate', { name: user, password }, { headers: {}, signal }))
      const token = typeof body === 'object' && body !== null && 'token' in body ? body.token : undefined
      if (typeof token !== 'string' || token === '') throw new ArbiterError('ARBITER_DAMAGED', 'etcd lets us in without a token')
      this.#login = token
    }
    return { authorization: this.#login }
  }
}

function agentFor({ tls, ca, cert, keyFile, servername }: EtcdAddress): http.Agent {
  const kept = { keepAlive: true, maxSockets: 8 }
  if (!tls) return new http.Agent(kept)
  return new https.Agent({
    ...kept,
    minVersion: 'TLSv1.2',
    ...(ca === undefined ? {} : { ca: fileOf(ca) }),
    ...(cert === undefined || keyFile === undefined ? {} : { cert: fileOf(cert), key: fileOf(keyFile) }),
    ...(servername === undefined ? {} : { servername }),
  })
}

function fileOf(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new ArbiterError('ARBITER_ADDRESS', `a file for etcd cannot be read: ${(cause as Error).message}`, { cause, hint: 'look at the options of the etcd:// URL' })
  }
}

function isUnauthenticated({ status, body }: Reply): boolean {
  return status === 401 || (typeof body === 'object' && body !== null && 'code' in body && body.code === UNAUTHENTICATED)
}

function bodyOf({ status, body }: Reply): unknown {
  if (status === 200) return body
  const said = typeof body === 'object' && body !== null && 'error' in body && typeof body.error === 'string' ? body.error : `HTTP status ${status}`
  throw new ArbiterError('ARBITER_UNREACHABLE', `etcd refuses: ${said}`, { hint: 'look at the log of etcd' })
}
