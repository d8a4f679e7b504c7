import { definePlugin, type Observer, type Plugin } from '@xen-replication/plugin-api'
import { ObserverError } from '../observer-error.ts'
import { listenForMetrics } from './listener.ts'
import { Metrics } from './metrics.ts'

/** `--metrics HOST:PORT`: numbers for Prometheus. */
export const metricsPlugin: Plugin = definePlugin({
  name: '@xen-replication/observers/metrics',
  api: 1,
  contribute: (to) =>
    to.observer('metrics', {
      summary: 'serves numbers to Prometheus: --metrics, or the setting metrics = HOST:PORT',
      open: async ({ metrics }) => (metrics === undefined || metrics === '' ? undefined : serveMetrics(metrics)),
    }),
})

/** @throws ObserverError OBSERVER_METRICS */
async function serveMetrics(address: string): Promise<Observer> {
  const library = await import('prom-client').catch((cause: unknown) => {
    throw new ObserverError('OBSERVER_METRICS', 'the package prom-client cannot be loaded', { cause, hint: 'npm install prom-client' })
  })
  const registry = new library.Registry()
  const listener = await listenForMetrics(address, registry)
  library.collectDefaultMetrics({ register: registry, prefix: 'xr_' })
  const metrics = new Metrics(registry, library, () => Date.now() / 1000)
  return { observe: (event) => metrics.observe(event), close: () => listener.close() }
}
