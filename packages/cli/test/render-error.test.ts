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
    expect(renderError(Object.assign(new Error('disk full'), { code: 'ENOSPC' }))).toBe('xr: ENOSPC: disk full\n')
  })

  it('that nobody foresaw is told as a fault of xr', () => {
    expect(renderError(new Error('x is undefined'))).toMatch(/^xr: CLI_INTERNAL: x is undefined\nhint: .*--debug/)
    expect(renderError('odd')).toMatch(/^xr: CLI_INTERNAL: odd\nhint: /)
  })

  it('shows where it came from, and from what, when asked for', () => {
    const error = new XrError('LINK_LOST', 'peer gone', { cause: Object.assign(new Error('reset'), { stack: undefined }) })
    expect(renderError(error, { debug: true })).toMatch(/^xr: LINK_LOST: peer gone\n.*peer gone\n {4}at (.|\n)*caused by: reset\n$/)
    expect(renderError('odd', { debug: true })).not.toContain('    at ')
  })

  it('exits with 3 for an invalid image, with 1 otherwise', () => {
    expect(exitCodeOf(new FormatError('FMT_TRUNCATED', 'stream ended', { offset: 0 }))).toBe(3)
    expect(exitCodeOf(new XrError('CLI_IO', 'no space'))).toBe(1)
  })

  it.each([
    ['XC_NO_END', 3], ['XL2_NO_END', 3], ['XL_MAGIC', 3], ['TOOL_IMAGE', 3], ['LINK_LOST', 5], ['LINK_TIMEOUT', 5], ['LINK_IO', 1],
    ['BACKEND_UNSUPPORTED', 7], ['BACKEND_MEMORY', 1], ['PLUGIN_NO_TRANSPORT', 7], ['PLUGIN_UNMET', 7], ['TOOL_INTERRUPTED', 8], ['CLI_INTERRUPTED', 8],
  ])('exits %s with %i', (code, exit) => expect(exitCodeOf(new XrError(code, 'x'))).toBe(exit))
})
