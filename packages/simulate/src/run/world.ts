import { definePlugin, optionValues, type Strategy } from '@xen-replication/plugin-api'
import { collectPlugins } from '@xen-replication/toolstack'
import type { CheckpointDevice } from '@xen-replication/hypervisor'
import { Chance } from '../chance.ts'
import { backLinkOf, linkOf, type Mutation } from '../faults.ts'
import { SimDisk } from '../host/sim-disk.ts'
import { SimHost } from '../host/sim-host.ts'
import { connect, type Connection } from '../network/connection.ts'
import { Network } from '../network/network.ts'
import { SimArbiter } from '../network/sim-arbiter.ts'
import { processClock } from '../time/process-clock.ts'
import { SimProcess } from '../time/sim-process.ts'
import type { Manner, Simulated } from '../strategies.ts'
import { VirtualTime } from '../time/virtual-time.ts'
import { Watch } from './invariants.ts'
import { drawScenario, type HostName, type Scenario } from './scenario.ts'
import { Story } from './story.ts'
import { follow, operationOf, protect, type Side } from './tasks.ts'

/** One side of the pair as the run sees it. */
export interface Member {
  readonly host: SimHost
  readonly process: SimProcess
  readonly side: Side
  /** State of its table. */
  state: string
  /** What became of it; undefined while it goes on. */
  outcome: string | undefined
}

/** A pair of hosts, what is between them, and what looks on. */
export class World {
  readonly scenario: Scenario
  readonly manner: Manner
  readonly chance: Chance
  readonly time = new VirtualTime()
  readonly story: Story
  readonly watch: Watch
  readonly network: Network
  readonly arbiter: SimArbiter
  readonly connection: Connection
  readonly members: Readonly<Record<HostName, Member>>
  readonly #mutation: Mutation
  readonly #name: string
  readonly #strategy: Strategy
  readonly #devices: CheckpointDevice[] = []
  #stopped = false
  #waiting: { readonly who: HostName; readonly state: string; readonly run: () => void }[] = []

  constructor(seed: number, name: string, { strategy, manner }: Simulated, mutation: Mutation, keep: 'lines' | 'digest') {
    this.chance = new Chance(seed)
    this.story = new Story(() => this.time.now, keep)
    this.#name = name
    this.manner = manner
    this.#strategy = mutation.strategy?.(strategy) ?? strategy
    const drawn = drawScenario(this.chance.fork(), manner, { a: Object.keys(strategy.primary.table), b: Object.keys(strategy.secondary.table) })
    this.scenario = { ...drawn, broken: mutation.broken?.(this.chance.fork()) ?? drawn.broken }
    this.#mutation = mutation
    const disk = new SimDisk()
    this.watch = new Watch(() => this.time.now, disk, manner.secondary)
    this.network = new Network(this.time, this.chance.fork(), this.scenario.network)
    this.arbiter = new SimArbiter(this.time, this.network)
    this.arbiter.onVerdict = ({ side }, { answer }) => this.story.tell('arbiter', `${side}: ${answer}`)
    const processes = { a: new SimProcess('a', this.time), b: new SimProcess('b', this.time) }
    this.connection = connect(processes, this.time, this.network)
    this.connection.onArrival = (to, segment) => {
      if (typeof segment !== 'string') this.story.note(segment)
      else if (!this.connection[to].isClosed) this.story.tell(to, segment === 'fin' ? 'the peer has closed the connection' : 'the connection is reset')
    }
    this.members = { a: this.#member('a', processes.a, seed, disk), b: this.#member('b', processes.b, seed, disk) }
  }

  /** Has something happen once, when a side comes to a state of its table. */
  whenIn(who: HostName, state: string, run: () => void): void {
    this.#waiting.push({ who, state, run })
  }

  /** Whether an operator wanted an end. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** An operator asks a side for something. */
  ask(who: HostName, wish: 'stop' | 'failover'): void {
    if (wish === 'stop') this.#stopped = true
    this.members[who].side.operation.wishes.ask(wish)
  }

  /** The guest begins to work, and both sides to do theirs. */
  async begin(): Promise<void> {
    const { a, b } = this.members
    const { kind, pages, workload, rate, noiseEvery } = this.scenario
    await a.host.create({ name: 'guest', kind, memoryBytes: pages * 4096, workload, rate, noiseEvery, modelBytes: 64 })
    this.#settles('a', this.#protects(a))
    this.#settles('b', this.#follows(b))
  }

  #member(name: HostName, process: SimProcess, seed: number, disk: SimDisk): Member {
    const { scenario, time, watch, story } = this
    const { broken, callMs } = scenario
    const faults = broken?.who === name ? [{ call: broken.call, first: broken.time, last: broken.time, action: { what: 'fail' as const, code: 'BACKEND_HOST' as const } }] : []
    const clock = processClock(process, time, scenario.skew[name])
    const chance = this.chance.fork()
    const device = (one: CheckpointDevice): CheckpointDevice => {
      const mutated = name === 'a' ? (this.#mutation.device?.(one) ?? one) : one
      this.#devices.push(mutated)
      return mutated
    }
    const host = new SimHost({ name, secondary: this.manner.secondary, seed, time, process, chance: this.chance.fork(), watch, disk, callMs, faults, device, builder: (memory) => this.#mutation.builder?.(memory) ?? memory, tap: (tap) => (name === 'a' ? this.#mutation.tap?.(tap) : undefined) ?? tap, leaks: this.#mutation.leaks ?? (() => false), tell: (what) => story.tell(name, what) })
    const operation = operationOf(clock, (kind, data) => this.#told(name, kind, data))
    const arbiter = this.arbiter.client(process, name)
    const side: Side = { channel: this.connection[name], clock, random: (bytes) => chance.bytes(bytes), operation, arbiter: this.#mutation.arbiter?.(arbiter) ?? arbiter }
    return { host, process, side, state: 'start', outcome: undefined }
  }

  #told(name: HostName, kind: string, data: Readonly<Record<string, unknown>>): void {
    if (kind === 'strategy.move') {
      const state = String(data['to'])
      this.members[name].state = state
      if (name === 'a') this.#mayLetGo(String(data['from']), String(data['event']))
      this.story.tell(name, `${String(data['from'])}: ${String(data['event'])} -> ${state}`)
      const waiting = this.#waiting.filter((one) => one.who === name && one.state === state)
      this.#waiting = this.#waiting.filter((one) => !waiting.includes(one))
      for (const { run } of waiting) run()
    } else if (kind === 'epoch.acknowledged') {
      this.watch.acknowledgedToPrimary(Number(data['epoch']))
    } else if (kind === 'arbiter.answer') this.story.tell(name, `the arbiter's answer is ${String(data['answer'])}`)
  }

  /** Where its table says that the primary goes on alone what is held may be seen; whether that was right is for `no-lost-output` to tell. */
  #mayLetGo(from: string, event: string): void {
    const run = this.#strategy.primary.table[from]?.[event]?.run ?? []
    if (run.includes('release-guest') || (run.includes('take-over') && (event === 'failover' || this.arbiter.winner === 'primary'))) this.watch.letsGo()
  }

  #protects({ side, host }: Member): Promise<unknown> {
    const { intervalMs, heartbeatMs, silenceMs, stalledMs, stageBytes } = this.scenario
    const times = { heartbeatMs, silenceMs, stalledMs }
    const mutate = this.#mutation.primaryLink
    return protect({
      ...side,
      backend: host.backend,
      name: this.#name,
      secondary: this.manner.secondary,
      strategy: this.#strategy,
      options: optionValues(this.#strategy.options, { interval: intervalMs }),
      stageBytes,
      times: this.#mutation.times?.(times) ?? times,
      link: (link) => mutate?.(linkOf(link), this.#devices) ?? linkOf(link),
    })
  }

  #follows({ side, host }: Member): Promise<unknown> {
    const contribution = definePlugin({ name: 'simulated', api: 1, contribute: (to) => to.strategy(this.#name, this.#strategy) })
    return follow({
      ...side,
      backend: host.backend,
      collected: collectPlugins([contribution]),
      name: this.#name,
      secondary: this.manner.secondary,
      link: (link) => {
        const below = this.#mutation.secondaryLink?.(link) ?? link
        return {
          ...backLinkOf(below),
          stored: (epoch) => {
            this.watch.storedAtBackup(epoch)
            return below.stored(epoch)
          },
        }
      },
    })
  }

  #settles(name: HostName, work: Promise<unknown>): void {
    const member = this.members[name]
    const end = (outcome: string): void => {
      member.outcome = outcome
      this.story.tell(name, `over: ${outcome}`)
    }
    work.then((result) => end(String((result as { readonly outcome?: unknown }).outcome)), (error: unknown) => end(error instanceof Error ? `${(error as { readonly code?: string }).code ?? error.name}: ${error.message}` : String(error)))
  }
}
