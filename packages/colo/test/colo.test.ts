import { strategyCases, type StrategyBench } from '@xen-replication/compliance'
import { colo, comparedBy } from '@xen-replication/colo'
import { optionValues, step, type OptionValues, type Role } from '@xen-replication/plugin-api'
import { describe, expect, it } from 'vitest'

const answers: Readonly<Record<string, string>> = { 'await-divergence': 'due', 'await-word': 'again', copied: 'copied', done: 'done', ran: 'ran' }

const bench = (yields: Readonly<Record<string, string>>) => (): Promise<StrategyBench> =>
  Promise.resolve({ strategy: colo, peerEffects: ['await-divergence'], yields: (effect) => yields[effect], options: { interval: 25 }, close: () => Promise.resolve() })

const options = (own: OptionValues = {}): OptionValues => optionValues(colo.options, own)

describe('colo keeps the promises of a strategy', () => {
  for (const one of strategyCases) it(one.name, () => one.run(bench(answers)))
})

describe('colo keeps them while the guest changes hands', () => {
  for (const one of strategyCases) it(one.name, () => one.run(bench({ ...answers, 'await-divergence': 'failover' })))
})

/** Where the events lead from a state. */
const walk = ({ table }: Role, from: string, events: readonly string[]): string => events.reduce((state, event) => step(table, state, event).to, from)

describe('a guest that is handed over', () => {
  it('stays paused at a primary that gave it away and heard nothing more, and is not destroyed', () => {
    expect(walk(colo.primary, 'handed', ['peer-lost', 'lost'])).toBe('parked')
    expect(step(colo.primary.table, 'doubting', 'lost').run).toEqual([])
  })

  it('runs on at a secondary that could not tell the primary of it', () => {
    for (const event of ['failed', 'peer-lost']) expect(walk(colo.secondary, 'offered', ['won', 'ran', event])).toBe('active')
  })
})

describe('what colo needs of a host', () => {
  it('is a tap where xr compares, a buffer where nobody does, and neither where a QEMU does', () => {
    expect(colo.needs({ kind: 'hvm', options: options() })).toEqual(['fast-resume', 'lock-step', 'log-dirty-hvm', 'device-model', 'packet-taps', 'disk-epochs'])
    expect(colo.needs({ kind: 'pvh', options: options({ 'no-compare': true }) })).toEqual(['fast-resume', 'lock-step', 'log-dirty-hvm', 'network-buffer', 'disk-epochs'])
    expect(colo.needs({ kind: 'hvm', options: options({ proxy: 'tcp://127.0.0.1:1' }) })).not.toContain('packet-taps')
  })

  it('is for a PV guest something that no host can', () => {
    expect(colo.needs({ kind: 'pv', options: options() })).toContain('lock-step-pv')
  })

  it.each([
    [{}, 'us'],
    [{ 'no-compare': true }, 'nobody'],
    [{ proxy: 'tcp://127.0.0.1:1' }, 'a-qemu'],
  ] as const)('%j: compared by %s', (own, who) => {
    expect(comparedBy(options(own))).toBe(who)
  })

  it.each([
    [{ 'no-diskbuf': true }, '-F'],
    [{ 'no-compare': true, 'no-netbuf': true }, '-F'],
    [{ 'no-netbuf': true, unsafe: true }, '--no-compare'],
    [{ 'no-compare': true, proxy: 'tcp://127.0.0.1:1' }, 'leave one'],
  ] as const)('%j is refused, with %s as hint', (own, hint) => {
    expect(() => colo.needs({ kind: 'hvm', options: options(own) })).toThrow(expect.objectContaining({ code: 'REPL_OPTION', hint: expect.stringContaining(hint) as string }))
  })

  it('takes the same with --unsafe', () => {
    expect(colo.needs({ kind: 'hvm', options: options({ 'no-diskbuf': true, 'no-compare': true, 'no-netbuf': true, unsafe: true }) })).toEqual(['fast-resume', 'lock-step', 'log-dirty-hvm', 'device-model'])
  })
})
