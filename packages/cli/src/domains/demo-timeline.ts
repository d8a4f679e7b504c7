import type { Packet } from '@xen-replication/backend-mock'
import type { Report } from '@xen-replication/observers'
import type { AnyObservedEvent } from '@xen-replication/plugin-api'
import { performance } from 'node:perf_hooks'
import { DemoClient } from './demo-client.ts'
import type { DemoLine } from './demo-lines.ts'

/** Milliseconds since 1970, with fractions. */
const wallNow = (): number => performance.timeOrigin + performance.now()

type Moment = 'protected' | 'killed' | 'lost' | 'granted' | 'runs'

/** All that the demonstration sees of both hosts, and of the client between them. */
export class DemoTimeline {
  readonly client = new DemoClient()
  readonly #report: Report
  readonly #moments = new Map<Moment, number>()
  readonly #waiting: { readonly moment: Moment; readonly wake: () => void }[] = []
  readonly #sides: Readonly<Record<'primary' | 'backup', (event: AnyObservedEvent) => void>>
  /** Requests that the guest had served at the primary, as far as that could still tell. */
  served = 0
  /** The first answer that the guest gave at the backup. */
  #firstThere: number | undefined

  constructor(report: Report) {
    this.#report = report
    this.#sides = { primary: report.side('primary', 0), backup: report.side('backup', performance.timeOrigin) }
  }

  /** When something happened, in milliseconds since 1970. */
  at(moment: Moment): number | undefined {
    return this.#moments.get(moment)
  }

  /** Waits until it has happened. */
  until(moment: Moment): Promise<void> {
    return new Promise((wake) => (this.#moments.has(moment) ? wake() : this.#waiting.push({ moment, wake })))
  }

  /** Requests that the guest knew of when it began to run at the backup; undefined before it has answered one there. */
  get knownThere(): number | undefined {
    return this.#firstThere === undefined ? undefined : this.#firstThere - 1
  }

  primary(line: DemoLine): void {
    if ('packet' in line) return this.#hear(line.packet)
    if ('served' in line) {
      this.served = Math.max(this.served, line.served)
      return
    }
    const event = { ...line.event, at: line.event.at + line.originMs }
    this.#sides.primary(event)
    if (event.kind === 'epoch.acknowledged' && event.data.epoch === 0) this.#happened('protected', event.at)
  }

  backup(event: AnyObservedEvent): void {
    this.#sides.backup(event)
    const at = performance.timeOrigin + event.at
    if (event.kind === 'strategy.move' && event.data.event === 'peer-lost') this.#happened('lost', at)
    if (event.kind === 'arbiter.answer' && event.data.answer === 'granted') this.#happened('granted', at)
    if (event.kind === 'strategy.move' && event.data.to === 'active') this.#runs(at)
  }

  /** An answer came from the guest at the backup. */
  backupAnswers(packet: Packet): void {
    this.#firstThere ??= packet.number
    this.#hear(packet)
  }

  killed(pid: number): void {
    this.#happened('killed', wallNow())
    this.#report.tell(wallNow(), 'demo', `kill -9: the primary, process ${pid}, is dead, and the guest with it.`, 'turn')
  }

  #runs(at: number): void {
    this.#happened('runs', at)
    const killed = this.at('killed')
    if (killed !== undefined) this.#report.figure('Kill until it runs', at - killed)
  }

  #hear(packet: Packet): void {
    const now = wallNow()
    this.served = this.#firstThere === undefined ? Math.max(this.served, packet.number) : this.served
    this.client.hear(packet, now)
    this.#report.measure('answered', now, this.client.answered)
    this.#report.measure('answer', now, Math.max(0, now - packet.sentAt))
  }

  #happened(moment: Moment, at: number): void {
    if (this.#moments.has(moment)) return
    this.#moments.set(moment, at)
    for (const one of this.#waiting) if (one.moment === moment) one.wake()
  }
}
