import { describe, expect, it } from 'vitest'
import type { NetworkPlan, PairPlan } from '../../src/pair/plan.ts'
import { stepsOf, type Step } from '../../src/pair/steps.ts'

const network: NetworkPlan = { netdev: 'hn0', mirror: { host: '10.0.0.1', port: 9003 }, compare: { path: '/run/compare' }, vnetHeader: false }
const plan: PairPlan = { uri: 'unix:/run/colo', intervalMs: 200, networks: [], disks: [], nbd: { host: '10.0.0.2', port: 9999 } }
const idOf = ({ args }: Step): string => (args['id'] ?? args['node-name'] ?? args['device'] ?? '') as string
const at = (steps: readonly Step[], side: Step['at']): readonly string[] => steps.filter((step) => step.at === side).map(idOf)

describe('what a pair is set up with', () => {
  it('is two capabilities where nothing else is wanted, at the secondary first', () => {
    const steps = stepsOf(plan, 's')
    expect(steps.map(({ at: side, command }) => [side, command])).toEqual([['secondary', 'migrate-set-capabilities'], ['primary', 'migrate-set-capabilities']])
    expect(steps[0]?.args).toEqual({ capabilities: [{ capability: 'x-colo', state: true }, { capability: 'events', state: true }] })
  })

  it('has sockets of the primary before those of the secondary connect to them', () => {
    const steps = stepsOf({ ...plan, networks: [network] }, 's')
    const places = steps.map((step) => `${step.at} ${idOf(step)}`)
    expect(places.indexOf('primary xr-0-mirror')).toBeLessThan(places.indexOf('secondary xr-0-red0'))
    expect(places.indexOf('primary xr-0-compare1')).toBeLessThan(places.indexOf('secondary xr-0-red1'))
    expect(steps[0]?.args).toEqual({ id: 'xr-0-mirror', backend: { type: 'socket', data: { addr: { type: 'inet', data: { host: '10.0.0.1', port: '9003' } }, server: true, wait: false } } })
    expect(steps.find((step) => idOf(step) === 'xr-0-red1')?.args).toEqual({ id: 'xr-0-red1', backend: { type: 'socket', data: { addr: { type: 'unix', data: { path: '/run/compare' } }, server: false } } })
  })

  it('keeps the secondary off the network: its gate is made before the filter that sends to the primary, so it comes behind it', () => {
    const secondary = at(stepsOf({ ...plan, networks: [network] }, 's'), 'secondary')
    expect(secondary.indexOf('xr-0-f0')).toBeLessThan(secondary.indexOf('xr-0-f2'))
    expect(secondary.indexOf('xr-0-nobody')).toBeLessThan(secondary.indexOf('xr-0-f0'))
  })

  it('turns packets of the primary to the comparison when that is there, and away before it is taken away', () => {
    const primary = at(stepsOf({ ...plan, networks: [network] }, 's'), 'primary')
    expect(primary.indexOf('xr-0-redire1')).toBeGreaterThan(primary.indexOf('xr-0-comp'))
    expect(primary.indexOf('xr-0-redire0')).toBeLessThan(primary.indexOf('xr-0-comp'))
  })

  it('tells every filter of virtio-net headers, or none', () => {
    const filters = (vnetHeader: boolean): readonly Step[] => stepsOf({ ...plan, networks: [{ ...network, vnetHeader }] }, 's').filter(({ args }) => /filter|compare/.test(String(args['qom-type'])))
    expect(filters(true).length).toBe(8)
    expect(filters(true).every(({ args }) => args['vnet_hdr_support'] === true)).toBe(true)
    expect(filters(false).some(({ args }) => 'vnet_hdr_support' in args)).toBe(false)
  })

  it('takes everything back but what connections need, which stays where one goes on alone', () => {
    const steps = stepsOf({ ...plan, networks: [network], disks: [{ quorum: 'colo-disk0', parent: 'parent0' }] }, 's')
    expect(steps.filter(({ undo }) => undo === undefined).map(({ command }) => command)).toEqual(['nbd-server-add'])
    expect(steps.filter(({ stays }) => stays === true).map(idOf)).toEqual(['xr-0-rewriter'])
  })

  it('gives two networks two of everything, and two pairs on a host different places', () => {
    const two = stepsOf({ ...plan, networks: [network, { ...network, netdev: 'hn1' }] }, 's')
    for (const side of ['primary', 'secondary'] as const) expect(new Set(at(two, side)).size).toBe(at(two, side).length)
    expect(JSON.stringify(stepsOf({ ...plan, networks: [network] }, 'a'))).not.toBe(JSON.stringify(stepsOf({ ...plan, networks: [network] }, 'b')))
  })

  it('exports each disk of the secondary before the primary writes to it', () => {
    const steps = stepsOf({ ...plan, disks: [{ quorum: 'colo-disk0', parent: 'parent0' }, { quorum: 'colo-disk1', parent: 'parent1' }] }, 's')
    expect(steps.slice(0, -2).map(({ at: side, command }) => `${side} ${command}`)).toEqual([
      'secondary nbd-server-start', 'secondary nbd-server-add', 'secondary nbd-server-add', 'primary blockdev-add', 'primary x-blockdev-change', 'primary blockdev-add', 'primary x-blockdev-change',
    ])
    expect(steps[3]?.args).toEqual({ driver: 'replication', mode: 'primary', 'node-name': 'xr-replication0', file: { driver: 'nbd', server: { type: 'inet', host: '10.0.0.2', port: '9999' }, export: 'parent0' } })
    expect(steps[4]).toMatchObject({ args: { parent: 'colo-disk0', node: 'xr-replication0' }, undo: { args: { parent: 'colo-disk0', child: 'children.1' } } })
  })
})
