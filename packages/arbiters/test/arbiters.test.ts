import { arbiters, arbiterCodes } from '@xen-replication/arbiters'
import { contributionsOf } from '@xen-replication/plugin-api'
import { describe, expect, it } from 'vitest'

describe('the plugin', () => {
  it('brings none, file, exec and etcd, each with a summary', () => {
    const found = contributionsOf(arbiters())
    expect(found.map(({ kind, name }) => `${kind} ${name}`)).toEqual(['arbiter none', 'arbiter file', 'arbiter exec', 'arbiter etcd'])
    for (const { what } of found) expect('summary' in what && what.summary).toMatch(/./)
  })

  it('explains each of its codes in a sentence', () => {
    for (const sentence of Object.values(arbiterCodes)) expect(sentence).toMatch(/^[A-Z].*\.$/)
  })
})
