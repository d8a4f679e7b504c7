import * as api from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { contributionsOf } from '@xen-replication/plugin-api'
import { afterEach, describe, expect, it } from 'vitest'
import { spansPlugin } from '../../src/spans/spans-plugin.ts'
import { Spans } from '../../src/spans/spans.ts'
import { event, protection } from '../events.ts'

const recorded = () => {
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  return { exporter, provider, spans: new Spans(api, provider.getTracer('xr'), 1_700_000_000_000) }
}
const ms = ([seconds, nanos]: api.HrTime): number => seconds * 1000 + nanos / 1e6 - 1_700_000_000_000

describe('spans of a replication', () => {
  it('are one for the operation, and below it those of its passes, its epochs and the loss of its peer', () => {
    const { exporter, spans } = recorded()
    protection(3).forEach((one) => spans.observe(one))
    const all = exporter.getFinishedSpans()
    const root = all.find(({ name }) => name === 'xr remus') ?? expect.fail()
    expect(root).toMatchObject({ kind: api.SpanKind.CLIENT, status: { code: api.SpanStatusCode.ERROR, message: 'TOOL_UNPROTECTED' }, attributes: { 'xr.guest': 'web', 'xr.transport': 'tcp', 'xr.strategy': 'remus', 'error.type': 'TOOL_UNPROTECTED' } })
    expect(all.map(({ name }) => name).toSorted()).toEqual(['epoch', 'epoch', 'epoch', 'pass live', 'peer lost', 'xr remus'])
    for (const span of all) if (span !== root) expect(span.parentSpanContext?.spanId).toBe(root.spanContext().spanId)
    const [epoch] = all.filter(({ name }) => name === 'epoch')
    expect(epoch).toMatchObject({ attributes: { 'xr.epoch': 0, 'xr.pages': 10, 'xr.held_ms': 106 }, events: [{ name: 'acknowledged' }] })
    expect([ms(epoch?.startTime ?? [0, 0]), ms(epoch?.endTime ?? [0, 0])]).toEqual([1000, 1006])
    expect(all.find(({ name }) => name === 'peer lost')?.events.map(({ name }) => name)).toEqual(['peer-lost', 'arbiter', 'won'])
  })

  it('say nothing of where a peer is but how it is reached', () => {
    const { exporter, spans } = recorded()
    spans.observe(event('operation.begin', 0, { verb: 'migrate', guest: 'web', url: 'exec:ssh -i secret host' }))
    spans.observe(event('operation.end', 1, { outcome: 'done', code: undefined, seconds: 1 }))
    expect(JSON.stringify(exporter.getFinishedSpans().map(({ attributes, events }) => ({ attributes, events })))).not.toContain('secret')
  })

  it('end when an operation ends in the middle of something', () => {
    const { exporter, spans } = recorded()
    protection(2).filter(({ kind }) => kind !== 'epoch.released' && kind !== 'save.pass-end').forEach((one) => spans.observe(one))
    expect(exporter.getFinishedSpans().map(({ name }) => name).toSorted()).toEqual(['epoch', 'epoch', 'pass live', 'peer lost', 'xr remus'])
  })
})

describe('--traces', () => {
  afterEach(() => api.trace.disable())
  const open = (traces: string | undefined) => {
    const found = contributionsOf(spansPlugin).find(({ kind }) => kind === 'observer')
    return found?.kind === 'observer' ? found.what.open({ traces }) : expect.fail()
  }

  it('gives spans to the SDK of the process, and has it write them out in the end', async () => {
    const { exporter, provider } = recorded()
    let flushed = 0
    provider.forceFlush = () => Promise.resolve(void (flushed += 1))
    api.trace.setGlobalTracerProvider(provider)
    const observer = (await open('on')) ?? expect.fail()
    protection(1).forEach((one) => observer.observe(one))
    await observer.close()
    expect(exporter.getFinishedSpans().length).toBeGreaterThan(2)
    expect(flushed).toBe(1)
  })

  it('does no harm without one', async () => {
    const observer = (await open('on')) ?? expect.fail()
    protection(1).forEach((one) => observer.observe(one))
    await observer.close()
  })

  it('is off unless it is asked for', async () => {
    expect(await open(undefined)).toBeUndefined()
    expect(await open('off')).toBeUndefined()
  })
})
