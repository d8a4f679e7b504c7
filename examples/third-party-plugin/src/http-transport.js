import { LinkError } from '@xen-replication/plugin-api'
import { createServer, request } from 'node:http'
import { connect } from 'node:net'
import { SocketChannel } from './socket-channel.js'

/** @import { Channel, Listener, Transport } from '@xen-replication/plugin-api' */
/** @import { Server } from 'node:http' */
/** @typedef {Parameters<Transport['dial']>[1]} Signal */

const UPGRADE = { connection: 'Upgrade', upgrade: 'xr' }
const ANSWER = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: xr\r\n\r\n'
const CONNECT_MS = 10_000
/** Peers that may wait to be accepted, so that strangers cannot fill the memory. */
const WAITING = 8

/**
 * `http://HOST:PORT/PATH`: begins as HTTP, so that it goes through reverse proxies, and is a plain pipe after the upgrade.
 *
 * @type {Transport}
 */
export const httpTransport = { duplex: true, dial, listen }

/** @param {string} url */
function addressOf(url) {
  if (!/^http:\/\/[^/]+/.test(url) || !URL.canParse(url)) throw new LinkError('LINK_ADDRESS', `'${url}' is no address`, { hint: 'write http://HOST:PORT/PATH' })
  const { hostname, port, pathname } = new URL(url)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 80 : Number(port), path: pathname }
}

/** @type {Transport['dial']} */
async function dial(url, signal) {
  const { host, port, path } = addressOf(url)
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const asked = request({ host, port, path, headers: UPGRADE, createConnection: () => connect({ host, port, allowHalfOpen: true, noDelay: true, keepAlive: true }) })
    const late = setTimeout(() => asked.destroy(new LinkError('LINK_TIMEOUT', `${url}: nobody answers`)), CONNECT_MS)
    const settled = () => {
      clearTimeout(late)
      signal.removeEventListener('abort', stop)
    }
    const stop = () => {
      settled()
      asked.destroy()
      reject(signal.reason)
    }
    signal.addEventListener('abort', stop, { once: true })
    asked.on('upgrade', (_, socket, head) => {
      settled()
      resolve(new SocketChannel(/** @type {import('node:net').Socket} */ (socket), head, url))
    })
    asked.on('response', ({ statusCode }) => asked.destroy(new LinkError('LINK_REFUSED', `${url}: the server answers ${statusCode}`, { hint: 'is this the address of `xr receive`?' })))
    asked.on('error', (cause) => {
      settled()
      reject(cause instanceof LinkError ? cause : new LinkError('LINK_REFUSED', `${url}: ${cause.message}`, { cause, hint: 'start the receiving side first' }))
    })
    asked.end()
    return undefined
  })
}

/** @type {Transport['listen']} */
async function listen(url, signal) {
  const { host, port, path } = addressOf(url)
  if (signal.aborted) throw signal.reason
  const server = createServer((_, response) => response.writeHead(426, UPGRADE).end('this is xr\n'))
  const listener = new HttpListener(server, path)
  await new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(new LinkError('LINK_REFUSED', `${url}: ${cause.message}`, { cause })))
    server.listen({ host, port, exclusive: true }, () => resolve(undefined))
  })
  const { address, port: bound, family } = /** @type {import('node:net').AddressInfo} */ (server.address())
  listener.url = `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}${path}`
  return listener
}

/** @implements {Listener} */
class HttpListener {
  url = ''
  #server
  #closed = false
  /** @type {Channel[]} */
  #arrived = []
  /** @type {Set<{ resolve: (channel: Channel) => void, reject: (error: unknown) => void }>} */
  #accepts = new Set()

  /**
   * @param {Server} server
   * @param {string} path
   */
  constructor(server, path) {
    this.#server = server
    server.on('upgrade', ({ url, headers }, socket, head) => {
      const wanted = url === path && headers.upgrade === UPGRADE.upgrade && this.#arrived.length < WAITING
      socket.on('error', () => undefined)
      if (!wanted) return socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n')
      socket.write(ANSWER)
      return this.#arrive(new SocketChannel(/** @type {import('node:net').Socket} */ (socket), head, this.url))
    })
  }

  /**
   * @param {Signal} signal
   * @returns {Promise<Channel>}
   */
  accept(signal) {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const waiting = this.#arrived.shift()
      if (waiting !== undefined) return resolve(waiting)
      if (this.#closed) return reject(this.#over())
      const stop = () => settle.reject(signal.reason)
      /** @type {<V>(answer: (value: V) => void) => (value: V) => void} */
      const once = (answer) => (value) => {
        this.#accepts.delete(settle)
        signal.removeEventListener('abort', stop)
        answer(value)
      }
      const settle = { resolve: once(resolve), reject: once(reject) }
      this.#accepts.add(settle)
      signal.addEventListener('abort', stop, { once: true })
      return undefined
    })
  }

  async close() {
    this.#closed = true
    this.#server.close()
    this.#server.closeIdleConnections()
    for (const { reject } of this.#accepts) reject(this.#over())
    await Promise.all(this.#arrived.splice(0).map((channel) => channel.close()))
  }

  /** @param {Channel} channel */
  #arrive(channel) {
    const [first] = this.#accepts
    if (first === undefined) this.#arrived.push(channel)
    else first.resolve(channel)
  }

  #over() {
    return new LinkError('LINK_CLOSED', `${this.url}: closed on this side`)
  }
}
