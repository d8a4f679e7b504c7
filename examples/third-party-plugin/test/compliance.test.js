import { addressCases, linkCases, linkOf, listenCases, strategyCases } from '@xen-replication/compliance'
import { contributionsOf } from '@xen-replication/plugin-api'
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { plugin } from 'xr-plugin-http'
import { httpTransport } from '../src/http-transport.js'
import { steady } from '../src/steady.js'

describe('http:', () => {
  const open = async () => ({ transport: httpTransport, url: 'http://127.0.0.1:0/xr', close: async () => {} })
  for (const one of linkCases({ duplex: true, kind: 'live', loss: 'told' })) it(one.name, () => one.run(async () => linkOf(await open())))
  for (const one of [...listenCases, ...addressCases]) it(one.name, () => one.run(open))
})

describe('steady', () => {
  const open = async () => ({
    strategy: steady,
    peerEffects: [],
    /** @param {string} effect */
    yields: (effect) => (effect === 'rest' ? 'rested' : undefined),
    options: { share: 50 },
    close: async () => {},
  })
  for (const one of strategyCases) it(one.name, () => one.run(open))
})

it('the plugin brings both', () => {
  assert.deepEqual(contributionsOf(plugin).map(({ kind, name }) => `${kind} ${name}`), ['transport http', 'strategy steady'])
})
