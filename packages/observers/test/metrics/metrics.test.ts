import { contributionsOf, type Observer } from '@xen-replication/plugin-api'
import { createServer, request, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import * as library from 'prom-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listenForMetrics } from '../../src/metrics/listener.ts'
import { metricsPlugin } from '../../src/metrics/metrics-plugin.ts'
import { Metrics } from '../../src/metrics/metrics.ts'
import { event, protection } from '../events.ts'

const counted = () => {
  const registry = new library.Registry()
  return { registry, metrics: new Metrics(registry, library, () => 1700), lines: async () => (await registry.metrics()).split('\n').filter((line) => !line.startsWith('#')) }
}

describe('numbers of a replication', () => {
  it('are those of its events', async () => {
    const { metrics, lines } = counted()
    protection(5).slice(0, -1).forEach((one) => metrics.observe(one))
    expect(await lines()).toEqual(expect.arrayContaining([
      'xr_operations_running{verb="remus"} 1',
      'xr_sent_bytes_total{verb="remus",guest="web"} 400000',
      'xr_epochs_acknowledged_total{guest="web"} 5',
      'xr_epochs_missed_total{guest="web"} 0',
      'xr_epoch_pause_seconds_sum{guest="web"} 0.01',
      'xr_epoch_pause_seconds_bucket{le="0.001",guest="web"} 0',
      'xr_epoch_pause_seconds_bucket{le="0.002",guest="web"} 5',
      'xr_epoch_dirty_pages_count{guest="web"} 5',
      'xr_epoch_bytes_total{guest="web"} 204800',
      'xr_output_held_seconds_count{guest="web"} 4',
      'xr_epoch_last_acknowledged_timestamp_seconds{guest="web"} 1700',
      'xr_replication_state{guest="web",role="primary",state="winning"} 1',
      'xr_arbiter_answers_total{answer="granted"} 1',
      'xr_link_lost_total{verb="remus"} 1',
    ]))
  })

  it('say how it ended, and have no state of it any more', async () => {
    const { metrics, lines } = counted()
    protection(2).forEach((one) => metrics.observe(one))
    const all = await lines()
    expect(all).toContain('xr_operations_running{verb="remus"} 0')
    expect(all).toContain('xr_operations_total{verb="remus",outcome="failed",code="TOOL_UNPROTECTED"} 1')
    expect(all.filter((line) => line.startsWith('xr_replication_state'))).toEqual([])
  })

  it('count epochs that were missed', async () => {
    const { metrics, lines } = counted()
    const kept = protection(10).filter(({ data }) => !('epoch' in data && data.epoch >= 3 && data.epoch <= 5))
    kept.forEach((one) => metrics.observe(one))
    expect(await lines()).toContain('xr_epochs_missed_total{guest="web"} 3')
  })

  it('do not grow with the number of guests, nor with names that a peer makes up', async () => {
    const { metrics, lines, registry } = counted()
    for (let i = 0; i < 300; i += 1) protection(1, { guest: `g${i}\n"}`, operation: `${i}` }).forEach((one) => metrics.observe(one))
    const all = await lines()
    expect(all.filter((line) => line.startsWith('xr_epochs_acknowledged_total'))).toHaveLength(101)
    expect(all).toContain('xr_epochs_acknowledged_total{guest="(others)"} 200')
    expect((await registry.metrics())).toContain('{guest="g7\\n\\"}"}')
  })

  it('pass over operations whose beginning nobody saw', async () => {
    const { metrics, lines } = counted()
    metrics.observe(event('epoch.acknowledged', 1, { epoch: 1, latencyMs: 1 }))
    expect(await lines()).not.toContain(expect.stringContaining('guest='))
  })
})

const fetched = (port: number, path: string, method = 'GET'): Promise<{ readonly status: number | undefined; readonly type: string | undefined; readonly body: string }> =>
  new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, method, agent: false }, (response: IncomingMessage) => {
      let body = ''
      response.on('data', (chunk: Buffer) => (body += chunk.toString())).on('end', () => resolve({ status: response.statusCode, type: response.headers['content-type'], body }))
    }).on('error', reject).end()
  })

const free = async (): Promise<number> => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

const opened = async (metrics: string | undefined): Promise<Observer | undefined> => {
  const found = contributionsOf(metricsPlugin).find(({ kind }) => kind === 'observer')
  return found?.kind === 'observer' ? found.what.open({ metrics }) : expect.fail()
}

describe('the place where numbers are fetched', () => {
  it('is nowhere unless an address is named', async () => expect(await opened(undefined)).toBeUndefined())

  it('answers a scraper at /metrics, and nobody any more once it is closed', async () => {
    const port = await free()
    const observer = (await opened(`127.0.0.1:${port}`)) ?? expect.fail()
    protection(3).forEach((one) => observer.observe(one))
    const { status, type, body } = await fetched(port, '/metrics?x=1')
    expect({ status, type }).toEqual({ status: 200, type: 'text/plain; version=0.0.4; charset=utf-8' })
    expect(body).toContain('xr_epochs_acknowledged_total{guest="web"} 3')
    expect(body).toMatch(/xr_process_resident_memory_bytes \d+/)
    expect(await fetched(port, '/metrics', 'HEAD')).toMatchObject({ status: 200, body: '' })
    expect(await fetched(port, '/')).toMatchObject({ status: 404 })
    expect(await fetched(port, '/metrics', 'POST')).toMatchObject({ status: 405 })
    await observer.close()
    await observer.close()
    await expect(fetched(port, '/metrics')).rejects.toThrow(/ECONNREFUSED/)
  })

  it('does not wait for a scraper that says nothing when it is closed', async () => {
    const listener = await listenForMetrics('127.0.0.1:0', new library.Registry())
    const silent = connect(listener.port, '127.0.0.1')
    await new Promise((resolve) => silent.once('connect', resolve))
    await listener.close()
    silent.destroy()
  })

  it.each(['9898', 'localhost', 'host:99999', ':9898', 'a:b:1', '[::1]', 'http://a:1'])("is refused at '%s'", async (address) => {
    await expect(opened(address)).rejects.toMatchObject({ code: 'OBSERVER_METRICS' })
  })

  it('is refused where somebody else listens', async () => {
    const server = createServer()
    onTestFinished(() => void server.close())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    await expect(opened(`127.0.0.1:${(server.address() as AddressInfo).port}`)).rejects.toMatchObject({ code: 'OBSERVER_METRICS', message: expect.stringContaining('EADDRINUSE') as string })
  })
})
