import { collectPlugins } from '@xen-replication/toolstack'
import { definePlugin, type Channel } from '@xen-replication/plugin-api'
import { describe, expect, it } from 'vitest'
import { closeOnAbort } from '../../src/links/close-on-abort.ts'
import { leadsBack } from '../../src/links/redial.ts'
import { linksOver } from '../../src/links/links.ts'

const dialled: string[] = []
const tell = (how: string) => (url: string): Promise<never> => {
  dialled.push(`${how} ${url}`)
  return Promise.reject(new Error('told'))
}
const plugin = definePlugin({ name: 'p', api: 1, contribute: (to) => to.transport('quic', { duplex: true, dial: tell('dial'), listen: tell('listen') }) })
const links = linksOver(collectPlugins([plugin]))
const signal = new AbortController().signal

describe('links', () => {
  it('go through the transport of their scheme', async () => {
    await expect(links.dial('quic:x', signal)).rejects.toThrow('told')
    await expect(links.listen('quic:y', signal)).rejects.toThrow('told')
    expect(dialled).toEqual(['dial quic:x', 'listen quic:y'])
    expect(links.transport('quic:x').duplex).toBe(true)
  })

  it('need one', async () => {
    await expect(links.dial('smoke:x', signal)).rejects.toMatchObject({ code: 'PLUGIN_NO_TRANSPORT' })
    await expect(links.listen('smoke:x', signal)).rejects.toMatchObject({ code: 'PLUGIN_NO_TRANSPORT' })
    expect(() => links.transport('no url')).toThrow(expect.objectContaining({ code: 'LINK_ADDRESS' }) as Error)
  })

  it.each([
    ['quic:x', 'quic:x'],
    ['smoke://x', 'smoke://x'],
    ['smoke:x', 'file:/here/smoke:x'],
    ['demo.xl', 'file:/here/demo.xl'],
    ['/srv//demo.xl', 'file:/srv/demo.xl'],
    ['Quic:x', 'file:/here/Quic:x'],
  ])('%s where a file may stand means %s', (typed, url) => expect(links.urlOf(typed, '/here')).toBe(url))
})

describe('a channel', () => {
  const channel = (): Channel & { readonly log: string[] } => {
    const log: string[] = []
    return { log, write: () => Promise.resolve(), read: () => undefined, end: () => Promise.resolve(), close: () => Promise.resolve(void log.push('close')) }
  }

  it('is closed as soon as somebody calls it off, also when that was before', () => {
    const stop = new AbortController()
    const [one, other, last] = [channel(), channel(), channel()]
    closeOnAbort(one, stop.signal)
    closeOnAbort(other, stop.signal)()
    stop.abort()
    closeOnAbort(last, stop.signal)
    expect([one.log, other.log, last.log]).toEqual([['close'], [], ['close']])
  })
})

describe('a lost link', () => {
  it.each([['tcp://a:1', true], ['tls://a:1', true], ['unix:/s', true], ['quic:x', true], ['ssh://a', false], ['exec:cat', false], ['fd:0,1', false], ['file:x', false]])('to %s leads back to the same peer: %s', (url, back) => {
    expect(leadsBack(url)).toBe(back)
  })
})
