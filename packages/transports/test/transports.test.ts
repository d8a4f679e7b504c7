import { contributionsOf, type Transport } from '@xen-replication/plugin-api'
import { transports } from '@xen-replication/transports'
import { describe, expect, it } from 'vitest'

describe('the plugin of transports', () => {
  it('brings one for each scheme; a file goes one way only', () => {
    const found = contributionsOf(transports())
    expect(found.map(({ kind, name }) => `${kind} ${name}`)).toEqual(['file', 'fd', 'tcp', 'tls', 'unix', 'exec', 'ssh'].map((scheme) => `transport ${scheme}`))
    expect(found.filter(({ what }) => !(what as Transport).duplex).map(({ name }) => name)).toEqual(['file'])
  })
})
