import { fc, it as property } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { decodeMessage, encodeMessage, type Message, type MessageName, type ArgumentsOf } from '../../src/protocol/message.ts'
import { recordings } from '../recordings.ts'

const encoded = ({ name, values }: Message): Uint8Array => encodeMessage(name, values as ArgumentsOf<MessageName>)
const u32 = fc.nat(0xffff_ffff)
const int = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff })
const count = fc.maxSafeNat()
const text = fc.string({ unit: 'grapheme', maxLength: 200 })
const anyMessage = fc.oneof(
  fc.record({ name: fc.constant('log' as const), values: fc.record({ level: u32, errno: int, context: text, text }) }),
  fc.record({ name: fc.constant('progress' as const), values: fc.record({ context: text, doing: text, done: count, total: count }) }),
  fc.constantFrom('suspend', 'postcopy', 'checkpoint', 'waitCheckpoint').map((name) => ({ name, values: {} })),
  fc.record({ name: fc.constant('switchQemuLogdirty' as const), values: fc.record({ domId: u32, enable: u32 }) }),
  fc.record({ name: fc.constant('staticDataDone' as const), values: fc.record({ missing: u32 }) }),
  fc.record({ name: fc.constant('restoreResults' as const), values: fc.record({ store: count, console: count }) }),
  fc.record({ name: fc.constant('complete' as const), values: fc.record({ result: int, errno: int }) }),
) as fc.Arbitrary<Message>

describe('messages that the helper of Xen sent', () => {
  for (const { name, frames, said } of recordings) {
    it(`are understood and written the same, byte for byte: ${name}`, () => {
      expect(frames.length).toBeGreaterThan(10)
      expect(said.map((message) => Buffer.from(encoded(message)).toString('hex'))).toEqual(frames.map((frame) => Buffer.from(frame).toString('hex')))
    })
  }

  it('are of every kind but that of COLO', () => {
    const names = new Set(recordings.flatMap(({ said }) => said.map(({ name }) => name)))
    expect([...names].sort()).toEqual(['checkpoint', 'complete', 'log', 'postcopy', 'progress', 'restoreResults', 'staticDataDone', 'suspend', 'switchQemuLogdirty'])
  })
})

describe('any message', () => {
  property.prop([anyMessage])('comes out as it went in', (message) => {
    const bytes = encoded(message)
    expect(new DataView(bytes.buffer).getUint16(0, true)).toBe(bytes.length - 2)
    expect(decodeMessage(bytes.subarray(2))).toEqual(message)
  })

  property.prop([anyMessage, fc.nat()])('is refused when it is cut anywhere', (message, cut) => {
    const body = encoded(message).subarray(2)
    expect(() => decodeMessage(body.subarray(0, cut % body.length))).toThrow(expect.objectContaining({ code: 'HELPER_PROTOCOL' }))
  })

  property.prop([fc.uint8Array({ maxLength: 200 })])('made of anything is understood or refused', (bytes) => {
    try {
      expect(decodeMessage(bytes).name).toBeTypeOf('string')
    } catch (error) {
      expect(error).toMatchObject({ code: 'HELPER_PROTOCOL' })
    }
  })

  it('is refused with more bytes than its arguments take', () => {
    expect(() => decodeMessage(new Uint8Array([3, 0, 0]))).toThrow(expect.objectContaining({ code: 'HELPER_PROTOCOL' }))
  })

  it('is not sent when it is longer than its length can say', () => {
    expect(() => encodeMessage('log', { level: 1, errno: -1, context: 'xr', text: 'x'.repeat(0x10000) })).toThrow(expect.objectContaining({ code: 'HELPER_PROTOCOL' }))
  })
})
