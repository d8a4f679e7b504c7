import type { AbortSignalLike, Clock, Divergence, RemoteComparator } from '@xen-replication/hypervisor'
import type { Channel } from '@xen-replication/plugin-api'
import { ProxyError } from './proxy-error.ts'
import { encodeWord, WordReader, WORDS, type VnetWord } from './words.ts'

export interface RemoteComparerOptions {
  readonly clock: Clock
  /** Longest wait for an answer, in milliseconds; default 5000. libxl waits 500, which is little for a busy host. */
  readonly answerMs?: number
  /** `with` for a colo-compare that has vnet_hdr_support=on; default `without`. Nothing that it says tells which. */
  readonly vnet?: VnetWord
}

/**
 * Has a QEMU compare the output of its guest: speaks with the notify_dev of a colo-compare object, as libxl's user-space proxy does.
 *
 * @param channel to the notify_dev; closed here, whatever comes of it
 * @throws ProxyError PROXY_LOST, PROXY_TIMEOUT, PROXY_MALFORMED
 */
export async function openRemoteComparer(channel: Channel, options: RemoteComparerOptions): Promise<RemoteComparator> {
  const comparer = new RemoteComparer(channel, options)
  try {
    await comparer.hello()
    return comparer
  } catch (error) {
    await comparer.close()
    throw error
  }
}

interface Waiting<T> {
  readonly done: (value: T) => void
  readonly fail: (error: Error) => void
}

const ANSWER_MS = 5000
const READ_BYTES = 4096

class RemoteComparer implements RemoteComparator {
  readonly #channel: Channel
  readonly #clock: Clock
  readonly #answerMs: number
  readonly #vnet: VnetWord
  readonly #words = new WordReader()
  /** Who waits for an answer to a hello, in the order in which they were said, and what was said before it. */
  readonly #greeting: (Waiting<void> & { readonly behind: 'nothing' | 'checkpoint' })[] = []
  readonly #watching = new Set<Waiting<Divergence>>()
  #saying: Promise<void> = Promise.resolve()
  #wanted: 'nothing' | 'checkpoint' = 'nothing'
  #ended: ProxyError | undefined

  constructor(channel: Channel, { clock, answerMs = ANSWER_MS, vnet = 'without' }: RemoteComparerOptions) {
    this.#channel = channel
    this.#clock = clock
    this.#answerMs = answerMs
    this.#vnet = vnet
    void this.#listen()
  }

  hello(): Promise<void> {
    return this.#answer('nothing')
  }

  diverged(signal: AbortSignalLike): Promise<Divergence> {
    return new Promise<Divergence>((resolve, reject) => {
      const stop = (): void => waiting.fail(signal.reason as Error)
      const leave = (): void => {
        this.#watching.delete(waiting)
        signal.removeEventListener('abort', stop)
      }
      const waiting: Waiting<Divergence> = {
        done: (why) => [leave(), resolve(why)],
        fail: (error) => [leave(), reject(error)],
      }
      this.#watching.add(waiting)
      signal.addEventListener('abort', stop, { once: true })
      if (signal.aborted) stop()
      else this.#tell()
    })
  }

  /** colo-compare does not answer this, and the guest must not send before it is done; so a hello is said behind it, which is answered in turn. */
  checkpoint(): Promise<void> {
    return this.#answer('checkpoint')
  }

  close(): Promise<void> {
    this.#end(new ProxyError('PROXY_CLOSED', 'the link to colo-compare was closed'))
    return this.#channel.close()
  }

  /** Says hello, and waits for the answer to it. */
  async #answer(behind: 'nothing' | 'checkpoint'): Promise<void> {
    if (this.#ended !== undefined) throw this.#ended
    const over = new AbortController()
    const answer = new Promise<void>((done, fail) => void this.#greeting.push({ done, fail, behind }))
    const late = this.#clock.sleep(this.#answerMs, over.signal).then(() => this.#late(), () => undefined)
    try {
      await Promise.all([answer, this.#say(behind === 'checkpoint' ? [WORDS.done, WORDS.hello] : [WORDS.hello])])
    } finally {
      over.abort()
      await late
    }
  }

  /** Answers are not told apart, so nothing can be believed after one that is missing. */
  #late(): void {
    this.#fail(new ProxyError('PROXY_TIMEOUT', `colo-compare did not answer within ${this.#answerMs} ms`, { hint: 'QEMU may hang, or vnet_hdr_support may be set otherwise there' }))
  }

  /** One after the other; a link that breaks is found by whoever listens. */
  #say(words: readonly string[]): Promise<void> {
    const parts = words.map((word) => encodeWord(word, this.#vnet))
    this.#saying = this.#saying.then(() => this.#channel.write(parts)).catch((cause: unknown) => this.#fail(lost(cause)))
    return this.#saying
  }

  async #listen(): Promise<void> {
    try {
      for (;;) {
        const bytes = await this.#channel.read(READ_BYTES)
        if (bytes === undefined) throw lost(undefined)
        for (const word of this.#words.take(bytes)) this.#hear(word)
      }
    } catch (error) {
      this.#fail(error instanceof ProxyError ? error : lost(error))
    }
  }

  #hear(word: string): void {
    if (word === WORDS.wanted) {
      // what it wants before it knows of a checkpoint is what that one gives
      if (!this.#greeting.some(({ behind }) => behind === 'checkpoint')) this.#wanted = 'checkpoint'
      return this.#tell()
    }
    const first = word === WORDS.helloAnswer ? this.#greeting.shift() : undefined
    if (first === undefined) throw new ProxyError('PROXY_MALFORMED', `colo-compare says ${JSON.stringify(word)}`, { hint: 'is a notify_dev of colo-compare at that address?' })
    if (first.behind === 'checkpoint') this.#wanted = 'nothing'
    first.done()
  }

  #tell(): void {
    for (const { done, fail } of [...this.#watching]) {
      if (this.#ended !== undefined) fail(this.#ended)
      else if (this.#wanted === 'checkpoint') done('differs') // or late: it does not say
    }
  }

  #fail(error: ProxyError): void {
    this.#end(error)
    void this.#channel.close()
  }

  #end(error: ProxyError): void {
    this.#ended ??= error
    for (const { fail } of this.#greeting.splice(0)) fail(this.#ended)
    this.#tell()
  }
}

/** Not LINK_LOST: that would be the other host. */
function lost(cause: unknown): ProxyError {
  const why = cause instanceof Error ? `: ${cause.message}` : ''
  return new ProxyError('PROXY_LOST', `the link to colo-compare broke${why}`, { cause, hint: 'its QEMU ended: look at what it printed' })
}
