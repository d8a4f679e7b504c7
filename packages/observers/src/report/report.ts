import type { AnyObservedEvent } from '@xen-replication/plugin-api'
import { clauseOf, type Weight } from './clause.ts'
import { Measure } from './measure.ts'
import { Missed } from './missed.ts'
import { plotSpecs, type PlotSpec } from './plots.ts'
import { Story, type StoryItem } from './story.ts'

/** What a page is made of. */
export interface ReportState {
  readonly title: string
  readonly clock: 'real' | 'virtual'
  readonly story: readonly StoryItem[]
  /** Items that the story does not have any more. */
  readonly leftOut: number
  readonly plots: readonly PlotState[]
  readonly missed: Missed | undefined
  /** Epochs that the backup has acknowledged. */
  readonly acknowledged: number
  /** Durations in milliseconds that stand at the top. */
  readonly figures: readonly (readonly [label: string, ms: number])[]
}

export interface PlotState extends PlotSpec {
  readonly measures: readonly Measure[]
}

/** Events of this kind have no place in the story, and there are many. */
const QUIET: ReadonlySet<string> = new Set(['save.pass-begin', 'save.pages', 'save.pass-end', 'save.dirty', 'restore.pages', 'restore.checkpoint', 'epoch.staged', 'epoch.released'])

/** Gathers what one or both sides of a replication tell. Memory does not grow with how long that goes on. */
export class Report {
  readonly title: string
  readonly #clock: 'real' | 'virtual'
  readonly #story = new Story()
  readonly #measures = new Map<string, Measure>()
  #missed: Missed | undefined
  #acknowledged = 0
  /** When the peer was found to be lost. */
  #lostAt: number | undefined
  readonly #figures = new Map<string, number>()

  /** @param clock `virtual`: times begin with 0 and are those of no day */
  constructor(title: string, clock: 'real' | 'virtual' = 'real') {
    this.title = title
    this.#clock = clock
  }

  /**
   * @param name what its items in the story are marked with; empty where there is only one side
   * @param originMs what to add to its clock for milliseconds since 1970
   * @returns to be told its events
   */
  side(name: string, originMs: number): (event: AnyObservedEvent) => void {
    return (event) => {
      const at = event.at + originMs
      this.#count(event, at)
      const clause = QUIET.has(event.kind) ? undefined : clauseOf(event)
      if (clause !== undefined) this.#story.tell({ at, side: name, ...clause })
    }
  }

  /** Something that no event tells. @param at milliseconds since 1970 */
  tell(at: number, side: string, text: string, weight: Weight = 'plain'): void {
    this.#story.tell({ at, side, text, weight })
  }

  /** A value of a measure that a plot of `plotSpecs` shows. @param at milliseconds since 1970 */
  measure(name: string, at: number, value: number): void {
    const measure = this.#measures.get(name) ?? new Measure()
    this.#measures.set(name, measure)
    measure.add(at, value)
  }

  /** A duration that matters more than others, in milliseconds. */
  figure(label: string, ms: number): void {
    this.#figures.set(label, ms)
  }

  get state(): ReportState {
    const plots = plotSpecs.map((spec): PlotState => ({ ...spec, measures: spec.lines.map(({ measure }) => this.#measures.get(measure) ?? new Measure()) }))
    return {
      title: this.title,
      clock: this.#clock,
      story: this.#story.items,
      leftOut: this.#story.leftOut,
      plots: plots.filter(({ measures }) => measures.some(({ summary }) => summary !== undefined)),
      missed: this.#missed,
      acknowledged: this.#acknowledged,
      figures: [...this.#figures],
    }
  }

  #count(event: AnyObservedEvent, at: number): void {
    switch (event.kind) {
      case 'replication.begin':
        return this.#expect(event.data.options)
      case 'epoch.staged':
        this.measure('pause', at, event.data.pauseMs)
        this.measure('pages', at, event.data.pages)
        return this.measure('bytes', at, event.data.bytes)
      case 'epoch.acknowledged':
        this.#acknowledged += 1
        this.measure('latency', at, event.data.latencyMs)
        return this.#began(at - event.data.latencyMs)
      case 'epoch.released':
        if (event.data.epoch > 0) this.measure('held', at, event.data.heldMs) // before the first checkpoint nothing is held
        return undefined
      case 'strategy.move':
        if (event.data.event === 'peer-lost') this.#lostAt ??= at
        if (event.data.to === 'active' && this.#lostAt !== undefined) this.figure('Lost until it runs', at - this.#lostAt)
    }
  }

  /** With an interval that follows the load nothing is due at a certain time. */
  #expect({ interval, adaptive }: Readonly<Record<string, number | boolean | string>>): void {
    this.#missed = typeof interval === 'number' && adaptive !== true ? new Missed(interval) : undefined
  }

  /** The first checkpoints begin when memory has been copied. */
  #began(at: number): void {
    const since = this.#missed?.began(at)
    if (this.#missed === undefined || since === undefined) return
    this.measure('interval', at, since)
    this.measure('missed', at, this.#missed.count)
  }
}
