import { exitCodeOf, renderError } from '@xen-replication/cli'
import { XrError } from '@xen-replication/errors'
import { FormatError } from '@xen-replication/format'
import { describe, expect, it } from 'vitest'

describe('an error on the terminal', () => {
  it('shows code, message and place, then the hint', () => {
    const error = new FormatError('FMT_TRUNCATED', 'stream ended', { offset: 20, record: 3, hint: 'look at the sender' })
    expect(renderError(error)).toBe('xr: FMT_TRUNCATED: stream ended (at byte 20, record 3)\nhint: look at the sender\n')
  })

  it('has one line when there is no hint, and none of the stack', () => {
    expect(renderError(new XrError('LINK_LOST', 'peer gone'))).toBe('xr: LINK_LOST: peer gone\n')
    expect(renderError(new Error('disk full'))).toBe('xr: disk full\n')
    expect(renderError('odd')).toBe('xr: odd\n')
  })

  it('exits with 3 for an invalid image, with 1 otherwise', () => {
    expect(exitCodeOf(new FormatError('FMT_TRUNCATED', 'stream ended', { offset: 0 }))).toBe(3)
    expect(exitCodeOf(new XrError('LINK_LOST', 'peer gone'))).toBe(1)
  })
})
