import { isXrError, XrError } from '@xen-replication/errors'

try {
  throw new XrError('FMT_TRUNCATED', 'stream ended: 8 bytes wanted, 3 came', { offset: 20, record: 3, hint: 'look at the sender’s log' })
} catch (error) {
  if (!isXrError(error)) throw error // also true for an error from another copy of this package
  console.log(`${error.code}: ${error.message}`)
  console.log(`hint: ${error.hint}`)
}
