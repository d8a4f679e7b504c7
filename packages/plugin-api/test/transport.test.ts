import { finish, isLinkLost, LinkError, schemeOf, XrError, type Channel } from '@xen-replication/plugin-api'
import { describe, expect, it } from 'vitest'

describe('the scheme of a URL', () => {
  it.each([['tcp://host:1', 'tcp'], ['exec:cat x:y', 'exec'], ['fd:3', 'fd'], ['git+ssh://x', 'git+ssh']])('of %s is %s', (url, scheme) => {
    expect(schemeOf(url)).toBe(scheme)
  })

  it.each(['', '/tmp/a', ':x', 'TCP://x', '3d:x', 'a b:c'])('is missing in %o', (url) => {
    expect(() => schemeOf(url)).toThrow(expect.objectContaining({ code: 'LINK_ADDRESS' }) as LinkError)
  })
})

describe('finishing a channel', () => {
  const channelOf = (reads: (Uint8Array | Error | undefined)[], log: string[]): Channel => ({
    write: () => Promise.resolve(),
    read: () => {
      log.push('read')
      const next = reads.shift()
      return next instanceof Error ? Promise.reject(next) : next
    },
    end: () => Promise.resolve(void log.push('end')),
    close: () => Promise.resolve(),
  })

  it('waits until the other end has ended too', async () => {
    const log: string[] = []
    await finish(channelOf([new Uint8Array(3), undefined], log))
    expect(log).toEqual(['end', 'read', 'read'])
  })

  it('tells when the other end failed', async () => {
    await expect(finish(channelOf([new LinkError('LINK_LOST', 'exit status 1')], []))).rejects.toMatchObject({ code: 'LINK_LOST' })
  })
})

describe('a lost link', () => {
  it('is told by its code, whoever made the error', () => {
    expect(isLinkLost(new XrError('LINK_LOST', 'x'))).toBe(true)
    expect(isLinkLost(new LinkError('LINK_TIMEOUT', 'x'))).toBe(true)
    expect(isLinkLost(new LinkError('LINK_CLOSED', 'x'))).toBe(false)
    expect(isLinkLost(new Error('LINK_LOST'))).toBe(false)
  })
})
