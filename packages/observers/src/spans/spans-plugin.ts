import { definePlugin, type Observer, type Plugin } from '@xen-replication/plugin-api'
import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { ObserverError } from '../observer-error.ts'
import { Spans } from './spans.ts'

/** How long a collector may take for the last spans, in milliseconds. */
const FLUSH_MS = 5000

/** `--traces`: OpenTelemetry spans, to whatever SDK this process was started with. */
export const spansPlugin: Plugin = definePlugin({
  name: '@xen-replication/observers/spans',
  api: 1,
  contribute: (to) =>
    to.observer('traces', {
      summary: 'gives spans to OpenTelemetry: --traces, or the setting traces = on',
      open: async ({ traces }) => (traces === 'on' ? openSpans() : undefined),
    }),
})

/** @throws ObserverError OBSERVER_TRACES */
async function openSpans(): Promise<Observer> {
  const api = await import('@opentelemetry/api').catch((cause: unknown) => {
    throw new ObserverError('OBSERVER_TRACES', 'the package @opentelemetry/api cannot be loaded', { cause, hint: 'npm install @opentelemetry/api, and an SDK that this process is started with' })
  })
  const spans = new Spans(api, api.trace.getTracer('xr'), performance.timeOrigin)
  return { observe: (event) => spans.observe(event), close: () => flushed(api.trace.getTracerProvider() as object) }
}

/** What SDKs have beside what the API promises. */
interface Provider {
  getDelegate?(): object
}

/** The process is about to end: what an SDK still holds has to leave now. */
async function flushed(provider: Provider): Promise<void> {
  const sdk: { forceFlush?(): Promise<void> } = provider.getDelegate?.() ?? provider
  await Promise.race([sdk.forceFlush?.().catch(() => undefined), setTimeout(FLUSH_MS, undefined, { ref: false })])
}
