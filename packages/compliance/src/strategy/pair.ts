import { drive, isXrError, LinkError, type Role, type Strategy } from '@xen-replication/plugin-api'

type Side = 'primary' | 'secondary'

export interface PairOptions {
  /** Messages that get through before the link is cut; a cut message does not arrive. */
  readonly cutAfter: number
  /** What the arbiter tells whom, in the order of asking. */
  readonly answers: readonly ('won' | 'lost')[]
  readonly peerEffects: readonly string[]
  readonly yields: (effect: string) => string | undefined
}

/** How a run of a pair ended. */
export interface PairEnd {
  readonly states: Readonly<Record<Side, string>>
  /** Which guests run. */
  readonly running: Readonly<Record<Side, boolean>>
  /** What happened, `primary suspend`, in order. */
  readonly log: readonly string[]
  /** Broken rules, in words. */
  readonly broken: readonly string[]
}

const MOST_EFFECTS = 5000

/** Two sides joined by messages in memory; guests are one bit each. */
export async function runPair({ primary, secondary }: Strategy, options: PairOptions): Promise<PairEnd> {
  const pair = new Pair(options)
  const run = (side: Side, role: Role): Promise<string> =>
    drive(role.table, { start: role.start, begin: role.begin, lost: role.lost, perform: (effect) => pair.perform(side, effect) })
  const [p, s] = await Promise.all([run('primary', primary), run('secondary', secondary)].map((end, i) => end.catch((error: unknown) => pair.failed(i === 0 ? 'primary' : 'secondary', error))))
  return { states: { primary: p ?? '', secondary: s ?? '' }, running: pair.running, log: pair.log, broken: pair.broken }
}

class Pair {
  readonly running: Record<Side, boolean> = { primary: true, secondary: false }
  readonly log: string[] = []
  readonly broken: string[] = []
  readonly #options: PairOptions
  readonly #boxes: Record<Side, string[]> = { primary: [], secondary: [] }
  readonly #wakes: (() => void)[] = []
  /** Sides that sent a checkpoint and have heard nothing since. */
  readonly #unacknowledged = new Set<Side>()
  #sent = 0
  #cut = false
  #asked = 0
  #won: Side | undefined

  constructor(options: PairOptions) {
    this.#options = options
  }

  failed(side: Side, error: unknown): string {
    this.broken.push(`the ${side} fails: ${error instanceof Error ? error.message : String(error)}`)
    this.#break()
    return isXrError(error) ? error.code : 'failed'
  }

  async perform(side: Side, effect: string): Promise<string | undefined> {
    if (this.log.length >= MOST_EFFECTS) throw new Error(`no end after ${MOST_EFFECTS} effects`)
    this.log.push(`${side} ${effect}`)
    if (effect.startsWith('send:')) return this.#send(side, effect.slice(5))
    const known = this.#effects(side)[effect]
    return (await (known === undefined ? this.#own(effect) : known())) ?? undefined
  }

  #effects(side: Side): Readonly<Record<string, () => Promise<string | undefined> | void>> {
    const stand = (what: string): void => {
      if (this.running[side]) this.broken.push(`the guest of the ${side} runs while ${what}`)
    }
    const sendCheckpoint = (): Promise<undefined> => {
      this.#unacknowledged.add(side)
      return this.#send(side, 'checkpoint-read')
    }
    return {
      precopy: () => this.#needLink(),
      suspend: () => void (this.running[side] = false),
      resume: () => this.#resume(side),
      'take-over': () => this.#resume(side),
      destroy: () => void (this.running[side] = false),
      stand: () => void (this.running[side] = false),
      postsuspend: () => stand('an epoch ends'),
      stage: () => stand('memory is staged'),
      apply: () => stand('a checkpoint is put in'),
      'send-memory': () => (stand('memory is read'), this.#needLink()),
      'send-checkpoint': sendCheckpoint,
      'send-staged': sendCheckpoint,
      'read-checkpoint': () => this.#receive(side),
      expect: () => this.#receive(side),
      'send-dirty-list': () => (stand('its dirty pages are listed'), this.#send(side, 'dirty-list')),
      'read-dirty-list': () => this.#receive(side).then(() => undefined),
      arbitrate: () => Promise.resolve(this.#arbitrate(side)),
      preresume: () => undefined, store: () => undefined, drop: () => undefined,
      commit: () => {
        if (this.#unacknowledged.has(side)) this.broken.push(`the ${side} releases an epoch before the other side has answered`)
      },
      'release-guest': () => undefined,
    }
  }

  #resume(side: Side): void {
    this.running[side] = true
    if (this.#won !== undefined && this.#won !== side) this.broken.push(`the ${side} lets its guest run although the other side has won`)
  }

  #arbitrate(side: Side): string {
    const answer = this.#options.answers[this.#asked++] ?? 'lost'
    if (answer === 'won') this.#won ??= side
    return answer
  }

  async #own(effect: string): Promise<string | undefined> {
    if (this.#options.peerEffects.includes(effect)) await this.#needLink()
    await new Promise((resolve) => setImmediate(resolve)) // the other side goes on meanwhile
    return this.#options.yields(effect)
  }

  #needLink(): Promise<undefined> {
    return this.#cut ? Promise.reject(lost()) : Promise.resolve(undefined)
  }

  #send(side: Side, message: string): Promise<undefined> {
    if (!this.#cut && this.#sent >= this.#options.cutAfter) this.#break()
    if (this.#cut) return Promise.reject(lost())
    this.#sent++
    this.#boxes[side === 'primary' ? 'secondary' : 'primary'].push(message)
    this.#wake()
    return Promise.resolve(undefined)
  }

  /** What was sent before the cut still arrives. */
  async #receive(side: Side): Promise<string> {
    for (;;) {
      const message = this.#boxes[side].shift()
      if (message !== undefined) {
        this.#unacknowledged.delete(side)
        return message
      }
      if (this.#cut) throw lost()
      await new Promise<void>((resolve) => this.#wakes.push(resolve))
    }
  }

  #break(): void {
    this.#cut = true
    this.#wake()
  }

  #wake(): void {
    for (const wake of this.#wakes.splice(0)) wake()
  }
}

function lost(): LinkError {
  return new LinkError('LINK_LOST', 'the link of the simulated pair is cut')
}
