import { strategyCases, type StrategyBench } from '@xen-replication/compliance'
import { remus } from '@xen-replication/remus'
import type { OptionValues } from '@xen-replication/plugin-api'
import { describe, expect, it } from 'vitest'

const answers: Readonly<Record<string, string>> = { 'wait-interval': 'due', 'await-word': 'again', copied: 'copied', done: 'done', ran: 'ran' }

const bench = (options: OptionValues = {}) => (): Promise<StrategyBench> =>
  Promise.resolve({ strategy: remus, peerEffects: ['wait-interval'], yields: (effect) => answers[effect], options, close: () => Promise.resolve() })

describe('remus keeps the promises of a strategy', () => {
  for (const one of strategyCases) it(one.name, () => one.run(bench({ interval: 25 })))
})

describe('what xl refuses without -F', () => {
  it.each(['blackhole', 'no-netbuf', 'no-diskbuf'])('--%s is refused without --unsafe, and taken with it', (name) => {
    const values = (unsafe: boolean): OptionValues => ({ [name]: true, unsafe })
    expect(() => remus.needs({ kind: 'hvm', options: values(false) })).toThrow(expect.objectContaining({ code: 'REPL_OPTION', hint: expect.stringContaining('-F') as string }))
    expect(remus.needs({ kind: 'hvm', options: values(true) })).toContain('log-dirty-hvm')
  })
})
