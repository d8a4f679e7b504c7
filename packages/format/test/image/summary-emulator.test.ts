import { describe, expect, it } from 'vitest'
import { summariseEmulator } from '../../src/image/summary-emulator.ts'
import { ascii, join, words, zeros } from '../rules/image-builder.ts'

const qemu = (rest: Uint8Array): Uint8Array => join(words(2, 0), ascii('QEVM'), Uint8Array.from([0, 0, 0, 3]), rest)

describe('the state of a device model', () => {
  it('is told with its size and the version of its stream', () => {
    expect(summariseEmulator(qemu(ascii('\x04more')), 6622)).toEqual({ id: 2, name: 'qemu', index: 0, bytes: 6614, streamVersion: 3, machine: undefined })
  })

  it('names its machine where the stream does', () => {
    expect(summariseEmulator(qemu(ascii('\x07\0\0\0\x05xenfvxx')), 100)?.machine).toBe('xenfv')
    expect(summariseEmulator(qemu(ascii('\x07\0\0\0\x05x\x01nfv')), 100)?.machine).toBeUndefined()
    expect(summariseEmulator(qemu(ascii('\x07\0')), 100)?.machine).toBeUndefined()
  })

  it('may be of another kind, or too short to tell', () => {
    expect(summariseEmulator(join(words(1, 0), zeros(8)), 16)).toMatchObject({ name: 'qemu-traditional', streamVersion: undefined, machine: undefined })
    expect(summariseEmulator(words(7, 1), 8)).toMatchObject({ name: 'emulator 7', index: 1, bytes: 0 })
    expect(summariseEmulator(zeros(7), 7)).toBeUndefined()
  })
})
