import { isXrError, XrError } from '@xen-replication/errors'
import { describe, expect, it, vi } from 'vitest'

describe('an error of xr', () => {
  it.each([
    [{}, 'stream ended'],
    [{ offset: 20 }, 'stream ended (at byte 20)'],
    [{ record: 3 }, 'stream ended (at record 3)'],
    [{ offset: 0, record: 0 }, 'stream ended (at byte 0, record 0)'],
  ])('says where it happened, as far as that is known: %o', (detail, message) => {
    expect(new XrError('FMT_TRUNCATED', 'stream ended', detail).message).toBe(message)
  })

  it('carries the code, the place and the hint as fields', () => {
    const error = new XrError('FMT_TRUNCATED', 'stream ended', { offset: 20, record: 3, hint: 'look at the sender' })
    expect(error).toMatchObject({ name: 'XrError', code: 'FMT_TRUNCATED', offset: 20, record: 3, hint: 'look at the sender' })
  })

  it('keeps the cause, and has no cause field when there is none', () => {
    const cause = new Error('EPIPE')
    expect(new XrError('LINK_LOST', 'peer gone', { cause }).cause).toBe(cause)
    expect('cause' in new XrError('LINK_LOST', 'peer gone')).toBe(false)
  })
})

describe('recognising an error of xr', () => {
  it('accepts one made by another copy of the package', async () => {
    vi.resetModules()
    const other = await import('@xen-replication/errors')
    const error = new other.XrError('LINK_LOST', 'peer gone')
    expect(error).not.toBeInstanceOf(XrError)
    expect(isXrError(error)).toBe(true)
  })

  it('accepts a subclass', () => {
    class FormatError extends XrError {}
    expect(isXrError(new FormatError('FMT_TRUNCATED', 'stream ended'))).toBe(true)
  })

  it.each([[new Error('plain')], [null], [undefined], ['LINK_LOST'], [{ code: 'LINK_LOST' }]])('refuses %o', (other) => {
    expect(isXrError(other)).toBe(false)
  })
})
