import { isXrError } from '@xen-replication/errors'
import { FormatError } from '@xen-replication/format'
import { expect, it } from 'vitest'

it('a format error is an error of xr and says at which byte', () => {
  const error = new FormatError('FMT_TRUNCATED', 'stream ended', { offset: 20 })
  expect(isXrError(error)).toBe(true)
  expect(error).toMatchObject({ name: 'FormatError', code: 'FMT_TRUNCATED', offset: 20, message: 'stream ended (at byte 20)' })
})
