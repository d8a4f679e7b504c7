import { describe, expect, it } from 'vitest'
import { Domctl } from '../../src/domctl/domctl.ts'
import { domctlTables } from '../../src/domctl/tables.ts'
import { FakeHypercalls, openDomctl } from '../fakes/fake-machine.ts'

describe('the version of control calls', () => {
  it.each([...domctlTables.keys()])('%i is found by asking', (version) => {
    const hypercalls = new FakeHypercalls()
    hypercalls.version = version
    expect(Domctl.open(hypercalls).version).toBe(version)
  })

  it.each([0x14, 0x19, 0xffff])('%i is refused, with those that are known', (version) => {
    const hypercalls = new FakeHypercalls()
    hypercalls.version = version
    expect(() => Domctl.open(hypercalls)).toThrow(expect.objectContaining({ code: 'BACKEND_UNSUPPORTED', message: expect.stringContaining('0x15 (Xen 4.16 and 4.17)') as string }))
    expect(hypercalls.held).toBe(0)
  })

  it('is not told to those without privileges', () => {
    const hypercalls = new FakeHypercalls().on('info', () => -1)
    expect(() => Domctl.open(hypercalls)).toThrow(expect.objectContaining({ code: 'BACKEND_DENIED' }))
    expect(hypercalls.held).toBe(0)
  })
})

describe('a control call', () => {
  it('is made of the bytes that Xen 4.17 takes', () => {
    const hypercalls = new FakeHypercalls().on('shadowOp', ({ answer }) => answer({ dirty: 3 }))
    const { values } = openDomctl(hypercalls).try(5, 'shadowOp', { op: 11, mode: 1, bitmap: 0x1122334455667788n, pages: 0x4000n })
    const union = '0b000000' + '01000000' + '0000000000000000' + '8877665544332211' + '0040000000000000' + '0000000000000000'
    expect(Buffer.from(hypercalls.last).toString('hex')).toBe('0a000000' + '15000000' + '0500000000000000' + union.padEnd(256, '0'))
    expect(values.dirty).toBe(3)
  })

  it.each([
    [-3, 'BACKEND_NO_SUCH_DOMAIN'],
    [-1, 'BACKEND_DENIED'],
    [-22, 'BACKEND_STATE'],
  ])('that comes back with %i is told as %s', (result, code) => {
    const domctl = openDomctl(new FakeHypercalls().on('pause', () => result))
    expect(() => domctl.call(5, 'pause', {}, 'BACKEND_STATE', 'pausing')).toThrow(expect.objectContaining({ code }))
  })

  it('is not made once the way is closed', () => {
    const domctl = openDomctl(new FakeHypercalls())
    domctl.close()
    expect(() => domctl.try(5, 'pause', {})).toThrow(expect.objectContaining({ code: 'BACKEND_STATE' }))
  })

  it('leaves nothing of the one before in its structure', () => {
    const hypercalls = new FakeHypercalls().on('shadowOp', () => 0).on('pause', () => 0)
    const domctl = openDomctl(hypercalls)
    domctl.try(5, 'shadowOp', { op: 11, bitmap: 0xffffn })
    domctl.try(6, 'pause', {})
    expect(hypercalls.last.subarray(16).every((byte) => byte === 0)).toBe(true)
  })
})
