import { BackendError, backendCodes } from '@xen-replication/hypervisor'
import { isXrError } from '@xen-replication/errors'
import { describe, expect, it } from 'vitest'

describe('a refusal of the hypervisor', () => {
  it('is known by its code and says what to do', () => {
    const refused = new BackendError('BACKEND_LOG_DIRTY', 'bits were lost', { hint: 'save it again' })
    expect(isXrError(refused)).toBe(true)
    expect(refused).toMatchObject({ name: 'BackendError', code: 'BACKEND_LOG_DIRTY', hint: 'save it again' })
  })

  it.each(Object.entries(backendCodes))('%s is explained in a sentence', (code, says) => {
    expect(code).toMatch(/^BACKEND_[A-Z_]+$/)
    expect(says).toMatch(/^[A-Z].*\.$/)
  })
})
