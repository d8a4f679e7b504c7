import type { Channel, Listener } from '@xen-replication/plugin-api'
import assert from 'node:assert/strict'
import { check, failsWith, within, type Case } from '../case.ts'
import { pattern, readAll, readExactly, sameBytes } from './bytes.ts'
import type { ListenBench } from './link-bench.ts'

const never = (): AbortSignal => new AbortController().signal
const REFUSALS = ['LINK_REFUSED', 'LINK_ADDRESS', 'LINK_TIMEOUT']

/** What opened things of a case are kept in, so that they are closed whatever happens. */
class Opened {
  readonly #bench: ListenBench
  readonly #all: { close(): Promise<void> }[] = []

  constructor(bench: ListenBench) {
    this.#bench = bench
  }

  async listen(url = this.#bench.url): Promise<Listener> {
    return this.#keep(await this.#bench.transport.listen(url, never()))
  }

  async dial(listener: Listener): Promise<Channel> {
    return this.#keep(await this.#bench.transport.dial(listener.url, never()))
  }

  async accept(listener: Listener): Promise<Channel> {
    return this.#keep(await within(10_000, listener.accept(never()), 'a peer to be accepted'))
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((one) => one.close()))
  }

  #keep<T extends { close(): Promise<void> }>(one: T): T {
    this.#all.push(one)
    return one
  }
}

function listens(name: string, body: (opened: Opened, bench: ListenBench) => Promise<void>): Case<ListenBench> {
  return check(name, async (bench) => {
    const opened = new Opened(bench)
    try {
      await body(opened, bench)
    } finally {
      await opened.close()
    }
  })
}

/** Transports that wait for peers, several of them. */
export const listenCases: readonly Case<ListenBench>[] = [
  listens('peers that dial the URL of a listener are accepted, each with its own link', async (opened) => {
    const listener = await opened.listen()
    const dialled = [await opened.dial(listener), await opened.dial(listener)]
    const accepted = [await opened.accept(listener), await opened.accept(listener)]
    for (const [i, channel] of dialled.entries()) {
      await channel.write([pattern(100, i + 1)])
      await channel.end()
    }
    const got = await Promise.all(accepted.map((channel) => readAll(channel)))
    sameBytes(got[0] ?? new Uint8Array(0), pattern(100, 1))
    sameBytes(got[1] ?? new Uint8Array(0), pattern(100, 2))
  }),
  listens('a peer may come before anybody waits, and after', async (opened) => {
    const listener = await opened.listen()
    const early = await opened.dial(listener)
    await early.write([pattern(5)])
    sameBytes(await readExactly(await opened.accept(listener), 5), pattern(5))
    const accepting = opened.accept(listener)
    await opened.dial(listener)
    await accepting
  }),
  listens('waiting for a peer can be called off, and the listener is none the worse', async (opened) => {
    const listener = await opened.listen()
    const abort = new AbortController()
    const waiting = listener.accept(abort.signal)
    const reason = new Error('called off')
    abort.abort(reason)
    await assert.rejects(within(5000, waiting, 'the waiting to end'), (error) => error === reason)
    await assert.rejects(listener.accept(AbortSignal.abort(reason)), (error) => error === reason)
    const channel = await opened.dial(listener)
    await channel.write([pattern(3)])
    sameBytes(await readExactly(await opened.accept(listener), 3), pattern(3))
  }),
  listens('dialling and listening can be called off beforehand', async (opened, { transport, url }) => {
    const reason = new Error('called off')
    const listener = await opened.listen()
    await assert.rejects(transport.dial(listener.url, AbortSignal.abort(reason)), (error) => error === reason)
    await listener.close()
    await assert.rejects(transport.listen(url, AbortSignal.abort(reason)), (error) => error === reason)
  }),
  listens('calling off an operation later does not cut the links it made', async (opened, { transport }) => {
    const listener = await opened.listen()
    const abort = new AbortController()
    const [near, far] = await Promise.all([transport.dial(listener.url, abort.signal), listener.accept(abort.signal)])
    try {
      abort.abort()
      await near.write([pattern(3)])
      sameBytes(await readExactly(far, 3), pattern(3))
    } finally {
      await Promise.all([near.close(), far.close()])
    }
  }),
  listens('closing a listener ends the waiting for peers', async (opened) => {
    const listener = await opened.listen()
    const waiting = listener.accept(never())
    waiting.catch(() => undefined)
    await listener.close()
    await listener.close()
    await failsWith(within(5000, waiting, 'the waiting to end'), ['LINK_CLOSED'], 'the waiting')
    await failsWith(listener.accept(never()), ['LINK_CLOSED'], 'waiting again')
  }),
  listens('nobody is let in once a listener is closed, and the links it gave live on', async (opened) => {
    const listener = await opened.listen()
    const near = await opened.dial(listener)
    const far = await opened.accept(listener)
    await listener.close()
    await failsWith(() => opened.dial(listener), REFUSALS, 'dialling a closed listener')
    await near.write([pattern(7)])
    sameBytes(await readExactly(far, 7), pattern(7))
  }),
  listens('two cannot listen at one address', async (opened) => {
    const listener = await opened.listen()
    await failsWith(() => opened.listen(listener.url), REFUSALS, 'listening where somebody does')
  }),
  listens('an address is free again once its listener is closed', async (opened) => {
    const first = await opened.listen()
    await first.close()
    const second = await opened.listen(first.url)
    const near = await opened.dial(second)
    await near.write([pattern(9)])
    sameBytes(await readExactly(await opened.accept(second), 9), pattern(9))
  }),
]

/** Every transport: a URL that makes no sense is refused as such. */
export const addressCases: readonly Case<ListenBench>[] = [
  check('a URL without an address is refused', async ({ transport, url }) => {
    const bare = url.slice(0, url.indexOf(':') + 1)
    await failsWith(() => transport.dial(bare, never()), ['LINK_ADDRESS'], 'dialling it')
    await failsWith(() => transport.listen(bare, never()), ['LINK_ADDRESS'], 'listening there')
  }),
]
