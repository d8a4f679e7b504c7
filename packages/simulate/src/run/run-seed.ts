import { mutationOf, type FaultName } from '../faults.ts'
import type { Site } from '../network/network.ts'
import { strategies, type StrategyName } from '../strategies.ts'
import { letRun } from '../time/virtual-time.ts'
import type { Violation } from './invariants.ts'
import type { HostName, Scenario } from './scenario.ts'
import { planTroubles } from './troubles.ts'
import { World, type Member } from './world.ts'

export interface SeedRequest {
  readonly seed: number
  readonly strategy: StrategyName
  readonly fault?: FaultName | undefined
  readonly keep?: 'lines' | 'digest' | undefined
}

export interface SeedResult {
  readonly seed: number
  readonly violation: Violation | undefined
  /** Of all that happened, in hexadecimal. */
  readonly digest: string
  /** Virtual time it took. */
  readonly ms: number
  /** Epochs that were acknowledged. */
  readonly epochs: number
  /** Whether the backup took over. */
  readonly tookOver: boolean
  readonly story: readonly string[]
}

/** How often guests are looked at, in milliseconds. */
const TICK_MS = 20
/** A pair works for so long at least. */
const LEAST_MS = 50
/** Time without trouble before the protection is ended. */
const QUIET_MS = 60
/** A pair that has hardly begun may take so much longer. */
const PATIENCE_MS = 5_000
/** Within so much time after the last trouble both sides have come to an end. */
const BOUND_MS = 12_000
/** Guests work for so long once all is over. */
const AFTER_MS = 20

/** Plays one run from its beginning to its end, or to the first thing that must not be. */
export async function runSeed({ seed, strategy, fault, keep = 'digest' }: SeedRequest): Promise<SeedResult> {
  const world = new World(seed, strategy, strategies[strategy], mutationOf(fault), keep)
  const { time, watch, story } = world
  story.tell('run', `seed ${seed}: ${JSON.stringify({ ...world.scenario, troubles: undefined })}`)
  const course = new Course(world)
  planTroubles(world, (ms) => course.troubled(ms))
  await world.begin()
  tick(world, () => course.over)
  course.troubled(Math.max(LEAST_MS, ...world.scenario.troubles.map(({ at, when }) => (when === undefined ? at : 0))))
  await letRun(time, () => course.over || watch.violation !== undefined || goingOn(world).length === 0)
  const until = time.now + AFTER_MS
  await letRun(time, () => watch.violation !== undefined || time.now >= until)
  if (watch.violation === undefined) lookBack(world)
  course.over = true
  if (watch.violation !== undefined) story.tell('VIOLATED', `${watch.violation.invariant}: ${watch.violation.what}`)
  return { seed, violation: watch.violation, digest: story.digest, ms: time.now, epochs: watch.acknowledged + 1, tookOver: watch.isActive('b'), story: story.lines }
}

/** What is done once nothing goes wrong any more. */
class Course {
  readonly #world: World
  #until = 0
  over = false

  constructor(world: World) {
    this.#world = world
  }

  /** Something goes wrong for so many milliseconds from now on. */
  troubled(ms: number): void {
    const { time } = this.#world
    this.#until = Math.max(this.#until, time.now + ms)
    time.after(this.#until - time.now, () => this.#calm())
  }

  #calm(): void {
    const { time, watch } = this.#world
    const since = this.#until
    if (time.now < since) return
    heal(this.#world)
    time.after(QUIET_MS, () => call(this.#world, since + PATIENCE_MS))
    time.after(BOUND_MS, () => {
      if (this.#until !== since) return
      for (const [host, one] of goingOn(this.#world)) watch.violated('ends', `host ${host} is in '${one.state}' ${BOUND_MS} ms after the last fault`)
      this.over = true
    })
  }
}

/** Those who live and have not come to an end. */
function goingOn({ members }: World): readonly (readonly [HostName, Member])[] {
  return (['a', 'b'] as const).map((host) => [host, members[host]] as const).filter(([, { outcome, process }]) => outcome === undefined && process.state !== 'dead')
}

function tick(world: World, isOver: () => boolean): void {
  world.time.after(TICK_MS, () => {
    void world.members.a.host.settle()
    void world.members.b.host.settle()
    if (!isOver()) tick(world, isOver)
  })
}

/** The arbiter can be reached by whoever lives; the hosts need not reach each other. */
function heal({ network, arbiter, story }: World): void {
  story.tell('run', 'no more trouble')
  arbiter.state = 'up'
  network.slow(1)
  for (const host of ['a', 'b'] as const satisfies readonly Site[]) {
    network.open(host, 'arbiter')
    network.open('arbiter', host)
  }
}

/** Where there is still a pair the operator ends it, unless it stands still. */
function call(world: World, patience: number): void {
  const { members, watch, time, story } = world
  const { a } = members
  const young = a.outcome === undefined && a.process.state === 'runs' && watch.acknowledged < 2
  if (young && time.now < patience) return void time.after(QUIET_MS, () => call(world, patience))
  if (a.outcome !== undefined || a.process.state !== 'runs' || !world.manner.paired.includes(a.state)) return
  story.tell('run', `epoch ${watch.acknowledged} is acknowledged; the operator ends it`)
  world.ask('a', 'stop')
}

/** Where an operator who wants an end gets it although nobody could say who may run the guest. */
const GIVEN_UP: ReadonlySet<string> = new Set(['paused', 'failed', 'parked'])

/** Whoever has the right to run the guest, and lives, runs it. */
function lookBack({ members, watch, arbiter, scenario, stopped }: World): void {
  const { a, b } = members
  const { troubles, broken } = scenario
  const right = arbiter.winner === 'secondary' ? b : a
  const host = right === a ? 'a' : 'b'
  if (right.process.state === 'dead' || broken !== undefined || (stopped && GIVEN_UP.has(right.state))) return
  const nobody = !watch.isActive('a') && !watch.isActive('b') // a backup may have given it back before
  if (nobody) watch.violated('runs-on', `host ${host} has the right to run the guest and does not; its table ended in '${right.state}'`)
  if (!isCalm(scenario)) return
  if (troubles.length === 1) watch.tookOverWithin(2 * scenario.silenceMs + REACTION_MS)
  if (troubles.length === 0 && watch.acknowledged < 1) watch.violated('keeps-on', `nothing went wrong and ${watch.acknowledged + 1} epochs were acknowledged`)
}

/** Time to ask the arbiter and to complete the guest, in milliseconds. */
const REACTION_MS = 500

/** Whether silence can only mean that the peer is gone. */
const isCalm = ({ network: { latencyMs, jitterMs, loss }, silenceMs, callMs }: Scenario): boolean => loss === 0 && silenceMs > 50 + 10 * (latencyMs + jitterMs + callMs)
