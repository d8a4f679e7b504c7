import type { Attributes, Span, SpanKind, Tracer } from '@opentelemetry/api'
import type { AnyObservedEvent } from '@xen-replication/plugin-api'
import { Running, type RunningFacts } from '../running.ts'

/** The part of `@opentelemetry/api` that is used. */
export type SpanApi = Pick<typeof import('@opentelemetry/api'), 'context' | 'trace' | 'SpanKind' | 'SpanStatusCode'>

interface Facts extends RunningFacts {
  readonly root: Span
  /** Pass, epoch and failover that are under way. */
  pass: Span | undefined
  epoch: Span | undefined
  failover: Span | undefined
}

/** Moves of a strategy that every epoch makes; its span says as much. */
const ROUTINE: ReadonlySet<string> = new Set(['begin', 'copied', 'due', 'stored', 'checkpoint-read', 'done'])

/** Turns events into spans: one for an operation, below it one for each pass, each epoch, and a failover. */
export class Spans {
  readonly #api: SpanApi
  readonly #tracer: Tracer
  readonly #originMs: number
  readonly #running: Running<Facts>
  #beginning: Span | undefined

  /** @param originMs what to add to the clock of events for milliseconds since 1970 */
  constructor(api: SpanApi, tracer: Tracer, originMs: number) {
    this.#api = api
    this.#tracer = tracer
    this.#originMs = originMs
    this.#running = new Running((verb, guest) => ({ verb, guest, root: this.#beginning as Span, pass: undefined, epoch: undefined, failover: undefined }))
  }

  observe(event: AnyObservedEvent): void {
    const at = event.at + this.#originMs
    if (event.kind === 'operation.begin') return this.#begin(event, at)
    const facts = this.#running.of(event)
    if (facts !== undefined) this.#see(event, facts, at)
  }

  #begin({ operation, data: { verb, guest, url } }: Extract<AnyObservedEvent, { readonly kind: 'operation.begin' }>, at: number): void {
    const { CLIENT, SERVER, INTERNAL } = this.#api.SpanKind
    const kind: SpanKind = url === undefined ? INTERNAL : verb === 'receive' ? SERVER : CLIENT
    const attributes: Attributes = { 'xr.operation': operation, 'xr.verb': verb, ...(guest === undefined ? {} : { 'xr.guest': guest }), ...(url === undefined ? {} : { 'xr.transport': url.slice(0, Math.max(0, url.indexOf(':'))) }) }
    this.#beginning = this.#tracer.startSpan(`xr ${verb}`, { kind, startTime: at, attributes })
    this.#running.begin(operation, verb, guest ?? '')
  }

  #see(event: AnyObservedEvent, facts: Facts, at: number): void {
    const { root } = facts
    switch (event.kind) {
      case 'operation.end':
        return this.#end(event, facts, at)
      case 'guest.announced':
        return void root.setAttributes({ 'xr.guest': event.data.guest, 'xr.guest.kind': event.data.kind })
      case 'replication.begin':
        return void root.setAttributes({ 'xr.strategy': event.data.strategy, 'xr.arbitration': event.data.arbitration })
      case 'save.pass-begin':
        facts.pass?.end(at)
        facts.pass = event.data.pass === 'checkpoint' ? undefined : this.#child(root, `pass ${event.data.pass}`, at, { 'xr.round': event.data.round, 'xr.pages.expected': event.data.expected })
        return undefined
      case 'save.pass-end':
        facts.pass?.setAttributes({ 'xr.pages': event.data.sent, 'xr.bytes': event.data.bytes }).end(at)
        facts.pass = undefined
        return undefined
      case 'save.trouble':
        return void root.addEvent('trouble', { 'xr.what': event.data.what, 'xr.error': String(event.data.error) }, at)
      case 'link.up':
        return void root.addEvent('link up', {}, at)
      case 'link.down':
        return void root.addEvent('link lost', { 'xr.code': event.data.code ?? '' }, at)
      case 'arbiter.answer':
        return void (facts.failover ?? root).addEvent('arbiter', { 'xr.answer': event.data.answer, 'xr.reason': event.data.reason ?? '' }, at)
      case 'strategy.move':
        return this.#move(event.data, facts, at)
      default:
        return this.#epoch(event, facts, at)
    }
  }

  /** From the suspension of the guest until its output is released. */
  #epoch(event: AnyObservedEvent, facts: Facts, at: number): void {
    if (event.kind === 'epoch.staged') {
      const { epoch, pages, bytes, pauseMs } = event.data
      facts.epoch?.end(at)
      facts.epoch = this.#child(facts.root, 'epoch', at - pauseMs, { 'xr.epoch': epoch, 'xr.pages': pages, 'xr.bytes': bytes, 'xr.pause_ms': pauseMs })
    }
    if (event.kind === 'epoch.acknowledged') facts.epoch?.addEvent('acknowledged', {}, at)
    if (event.kind !== 'epoch.released') return
    facts.epoch?.setAttribute('xr.held_ms', event.data.heldMs).end(at)
    facts.epoch = undefined
  }

  #move({ role, from, event, to }: Extract<AnyObservedEvent, { readonly kind: 'strategy.move' }>['data'], facts: Facts, at: number): void {
    if (event === 'peer-lost') facts.failover ??= this.#child(facts.root, 'peer lost', at, { 'xr.role': role })
    if (!ROUTINE.has(event)) (facts.failover ?? facts.root).addEvent(event, { 'xr.from': from, 'xr.to': to, 'xr.role': role }, at)
    if (to === 'active') {
      facts.failover?.setAttribute('xr.state', to).end(at)
      facts.failover = undefined
    }
  }

  #end({ operation, data: { outcome, code } }: Extract<AnyObservedEvent, { readonly kind: 'operation.end' }>, { root, pass, epoch, failover }: Facts, at: number): void {
    for (const span of [pass, epoch, failover]) span?.end(at)
    root.setAttributes({ 'xr.outcome': outcome, ...(code === undefined ? {} : { 'error.type': code }) })
    if (outcome === 'failed') root.setStatus({ code: this.#api.SpanStatusCode.ERROR, ...(code === undefined ? {} : { message: code }) })
    root.end(at)
    this.#running.end(operation)
  }

  #child(root: Span, name: string, startTime: number, attributes: Attributes): Span {
    const { context, trace } = this.#api
    return this.#tracer.startSpan(name, { startTime, attributes }, trace.setSpan(context.active(), root))
  }
}
