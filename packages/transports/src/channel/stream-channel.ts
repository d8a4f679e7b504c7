import type { Channel } from '@xen-replication/plugin-api'
import type { Readable, Writable } from 'node:stream'
import { Gather } from './gather.ts'
import { Inbox } from './inbox.ts'
import { closedHere, failure, oneWay } from './link-failure.ts'

/** A channel's way to its Node streams. */
export interface StreamEnds {
  /** How messages call it. */
  readonly where: string
  readonly input: Readable | undefined
  readonly output: Writable | undefined
  /** Lets go; `ended` tells whether our side was ended properly before. */
  release(how: { readonly ended: boolean }): Promise<void>
  /** Has the last word when the input ends or something breaks: the exit status of a command, for instance. */
  verdict?(broken: Error | undefined): Promise<Error | undefined>
}

/** A channel over Node streams: a socket, or the two pipes of a command. */
export class StreamChannel implements Channel {
  readonly #ends: StreamEnds
  readonly #inbox: Inbox
  readonly #gather: Gather
  #ending: Promise<void> | undefined
  #ended = false
  #closing: Promise<void> | undefined

  constructor(ends: StreamEnds) {
    const { input, output } = ends
    this.#ends = ends
    this.#inbox = new Inbox({ pause: () => input?.pause(), resume: () => input?.resume() })
    this.#gather = new Gather((bytes) => this.#send(bytes))
    output?.on('error', (error) => void this.#break(error, 'output'))
    if (input === undefined) return
    input.on('data', (chunk: Uint8Array) => this.#inbox.push(chunk))
    input.on('error', (error) => void this.#break(error, 'input'))
    input.on('end', () => void this.#inputEnded())
    input.on('close', () => {
      if (!input.readableEnded) void this.#break(Object.assign(new Error('closed early'), { code: 'ECONNRESET' }), 'input')
    })
  }

  async write(parts: readonly Uint8Array[]): Promise<void> {
    if (this.#ends.output === undefined) throw oneWay(this.#ends.where, 'write')
    if (this.#ending !== undefined || this.#closing !== undefined) throw closedHere(this.#ends.where)
    await this.#gather.write(parts)
  }

  read(max: number): Promise<Uint8Array | undefined> | Uint8Array | undefined {
    if (this.#ends.input === undefined && this.#closing === undefined) {
      return this.#ended ? undefined : Promise.reject(oneWay(this.#ends.where, 'read'))
    }
    return this.#inbox.read(max)
  }

  end(): Promise<void> {
    if (this.#closing !== undefined && this.#ending === undefined) return Promise.reject(closedHere(this.#ends.where))
    return (this.#ending ??= this.#finishOutput())
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#letGo())
  }

  async #finishOutput(): Promise<void> {
    const { output } = this.#ends
    if (output === undefined) return
    await this.#gather.flush()
    try {
      await endOf(output)
    } catch (error) {
      throw await this.#break(error, 'output')
    }
    this.#ended = true
  }

  async #letGo(): Promise<void> {
    const closed = closedHere(this.#ends.where)
    this.#inbox.discard(closed)
    this.#gather.fail(closed)
    await this.#ends.release({ ended: this.#ended })
  }

  #send(bytes: Uint8Array): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.#ends.output?.write(bytes, (error) => (error ? reject(error) : resolve()))
    }).catch(async (error: unknown) => {
      throw await this.#break(error, 'output')
    })
  }

  async #inputEnded(): Promise<void> {
    this.#inbox.finish(await this.#ends.verdict?.(undefined))
  }

  /** One side of two pipes may break alone: what a command said before it gave up can still be read. @returns why, in our words. */
  async #break(error: unknown, side: 'input' | 'output'): Promise<Error> {
    if (this.#closing !== undefined) return closedHere(this.#ends.where)
    const reason = failure(error, this.#ends.where)
    const final = (await this.#ends.verdict?.(reason)) ?? reason
    const { input, output } = this.#ends
    const both = input === output
    if (both || side === 'output') this.#gather.fail(final)
    if (both || side === 'input') this.#inbox.finish(final)
    return final
  }
}

/** Ends a stream and waits until that is done. Node's `finished()` is content with a stream that is destroyed before. */
function endOf(output: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    if (output.destroyed) return reject(Object.assign(new Error('closed before'), { code: 'ECONNRESET' }))
    output.once('finish', resolve)
    output.once('error', reject)
    output.once('close', () => reject(Object.assign(new Error('closed early'), { code: 'ECONNRESET' })))
    output.end()
    return undefined
  })
}
