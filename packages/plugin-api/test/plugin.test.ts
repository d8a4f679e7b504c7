import { contributionsOf, definePlugin, isPlugin, linkCodes, pluginCodes, PluginError, replCodes, type Contributions, type Plugin, type Transport } from '@xen-replication/plugin-api'
import { describe, expect, it } from 'vitest'

const never = (): Promise<never> => Promise.reject(new Error('not called'))
const quic: Transport = { duplex: true, dial: never, listen: never }
const withContributions = (contribute: (to: Contributions) => void): Plugin => definePlugin({ name: '@acme/xr', api: 1, contribute })
const malformed = (message: string): PluginError => expect.objectContaining({ code: 'PLUGIN_MALFORMED', message: expect.stringContaining(message) as string }) as PluginError

describe('a plugin', () => {
  it('brings what it hands in, in its order', () => {
    const plugin = withContributions((to) => {
      to.transport('quic', quic)
      to.backend('kvm', { summary: 'KVM', open: never })
      to.arbiter('consul', { summary: 'Consul', open: never })
      to.observer('statsd', { summary: 'StatsD', open: never })
      to.backend('quic', { summary: 'same name, other kind', open: never })
    })
    expect(contributionsOf(plugin).map(({ kind, name }) => `${kind} ${name}`)).toEqual(['transport quic', 'backend kvm', 'arbiter consul', 'observer statsd', 'backend quic'])
    expect(contributionsOf(plugin)[0]?.what).toBe(quic)
  })

  it('cannot be changed once defined', () => {
    expect(Object.isFrozen(withContributions(() => undefined))).toBe(true)
  })

  it.each([[2, 'a newer xr'], [0, 'a newer version of the plugin']])('made for interface %i is refused, with a way out', (api, way) => {
    const plugin = { name: 'old', api, contribute: () => undefined }
    expect(isPlugin(plugin)).toBe(true)
    const refusal = expect.objectContaining({ code: 'PLUGIN_API', hint: expect.stringContaining(way) as string }) as PluginError
    expect(() => definePlugin(plugin)).toThrow(refusal)
    expect(() => contributionsOf(plugin)).toThrow(refusal)
  })

  it.each([undefined, null, 1, {}, { name: 1 }, { name: 'x', api: '1' }, { name: 'x', api: 1 }, { name: '', api: 1, contribute: () => undefined }])('is not %o', (value) => {
    expect(() => definePlugin(value as Plugin)).toThrow(malformed('not a plugin'))
  })

  it('that hands in one thing twice is refused', () => {
    const plugin = withContributions((to) => {
      to.transport('quic', quic)
      to.transport('quic', quic)
    })
    expect(() => contributionsOf(plugin)).toThrow(expect.objectContaining({ code: 'PLUGIN_DUPLICATE' }) as PluginError)
  })

  it.each(['', 'QUIC', 'a b', '-x', 'tcp:', '__proto__'])('cannot take the name %o', (name) => {
    expect(() => contributionsOf(withContributions((to) => to.transport(name, quic)))).toThrow(malformed('a name that is not allowed'))
  })

  it('that forgets a part is told which', () => {
    const lacking = { duplex: true, dial: never } as unknown as Transport
    expect(() => contributionsOf(withContributions((to) => to.transport('quic', lacking)))).toThrow(malformed("lacks 'listen' (a function)"))
    expect(() => contributionsOf(withContributions((to) => to.transport('quic', null as never)))).toThrow(malformed('is not an object'))
    const strategy = { summary: 's', options: [], needs: () => [], primary: null, secondary: {} }
    expect(() => contributionsOf(withContributions((to) => to.strategy('s', strategy as never)))).toThrow(malformed("lacks 'primary'"))
  })

  it.each([new Error('boom'), 'boom'])('that throws %o while it hands in is named', (thrown) => {
    const plugin = withContributions(() => {
      throw thrown as Error
    })
    expect(() => contributionsOf(plugin)).toThrow(expect.objectContaining({ code: 'PLUGIN_LOAD', message: '@acme/xr fails: boom', cause: thrown }) as PluginError)
  })
})

describe('error codes', () => {
  it('are explained in a sentence each', () => {
    for (const text of Object.values({ ...linkCodes, ...pluginCodes, ...replCodes })) expect(text).toMatch(/^[A-Z].*\.$/)
  })
})
