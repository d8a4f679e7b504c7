import { collectPlugins } from '@xen-replication/toolstack'
import { definePlugin, type Plugin } from '@xen-replication/plugin-api'
import { describe, expect, it } from 'vitest'

const never = (): Promise<never> => Promise.reject(new Error('opened'))
const withBackend = (plugin: string, backend: string): Plugin => definePlugin({ name: plugin, api: 1, contribute: (to) => to.backend(backend, { summary: 'a host', open: never }) })
const quic = definePlugin({ name: '@acme/quic', api: 1, contribute: (to) => to.transport('quic', { duplex: true, dial: never, listen: never }) })

describe('plugins together', () => {
  it('are asked what they bring, in their order, and nothing is opened', () => {
    const found = collectPlugins([withBackend('a', 'kvm'), quic])
    expect(found.contributions.map(({ plugin, kind, name }) => [plugin, kind, name])).toEqual([['a', 'backend', 'kvm'], ['@acme/quic', 'transport', 'quic']])
    expect(found.of('transport').map(({ name }) => name)).toEqual(['quic'])
    expect(found.need('backend', 'kvm').plugin).toBe('a')
  })

  it('that bring the same thing are refused, both by name', () => {
    expect(() => collectPlugins([withBackend('a', 'kvm'), quic, withBackend('b', 'kvm')])).toThrow(expect.objectContaining({ code: 'PLUGIN_DUPLICATE', message: "a and b both bring the backend 'kvm'" }) as Error)
    expect(() => collectPlugins([quic, quic])).toThrow(expect.objectContaining({ message: "@acme/quic, loaded twice, bring the transport 'quic'" }) as Error)
  })

  it.each([
    ['backend', 'PLUGIN_NO_BACKEND', 'known: kvm; --plugin NAME loads more'],
    ['transport', 'PLUGIN_NO_TRANSPORT', 'known: quic; --plugin NAME loads more'],
    ['strategy', 'PLUGIN_NO_STRATEGY', 'known: none; --plugin NAME loads more'],
    ['arbiter', 'PLUGIN_NO_ARBITER', 'known: none; --plugin NAME loads more'],
  ] as const)('that lack a %s have a code for it, and say what there is', (kind, code, hint) => {
    const found = collectPlugins([withBackend('a', 'kvm'), quic])
    expect(() => found.need(kind, 'other')).toThrow(expect.objectContaining({ code, hint }) as Error)
  })
})
