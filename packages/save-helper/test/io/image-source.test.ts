import { fc, it as property } from '@fast-check/vitest'
import { ByteReader, paddingOf, XC } from '@xen-replication/format'
import { describe, expect, it } from 'vitest'
import { imageSource } from '../../src/io/image-source.ts'

const HEADERS = Buffer.alloc(40, 0x48)
const record = (type: number, length: number): Buffer => {
  const bytes = Buffer.alloc(8 + length + paddingOf(length), type)
  bytes.writeUInt32LE(type, 0)
  bytes.writeUInt32LE(length, 4)
  return bytes
}

/** A descriptor that gives what it is asked for in bits and pieces, and remembers how far it was read. */
function descriptor(bytes: Buffer, chunk: (asked: number) => number = (asked) => asked) {
  const state = { at: 0, calls: 0 }
  const source = imageSource((buffer, size) => {
    const got = Math.min(Math.max(1, chunk(size)), size, bytes.length - state.at)
    buffer.set(bytes.subarray(state.at, state.at + got))
    state.at += got
    state.calls++
    return got
  })
  return { state, reader: new ByteReader(source) }
}

const anyRecord = fc.tuple(fc.constantFrom(XC.PAGE_DATA, XC.X86_TSC_INFO, XC.HVM_CONTEXT, XC.VERIFY), fc.nat(5000)).map(([type, length]) => record(type, length))

describe('an image in the middle of a stream', () => {
  property.prop([fc.array(fc.array(anyRecord, { maxLength: 6 }), { minLength: 1, maxLength: 4 }), fc.func(fc.integer({ min: 1, max: 400_000 })), fc.func(fc.integer({ min: 1, max: 7000 }))])(
    'is read whole and not a byte further, at each checkpoint and at its end, however it comes',
    async (epochs, chunk, ask) => {
      const parts = epochs.map((records, i) => Buffer.concat([...(i === 0 ? [HEADERS] : []), ...records, record(i === epochs.length - 1 ? XC.END : XC.CHECKPOINT, 0)]))
      const { state, reader } = descriptor(Buffer.concat([...parts, Buffer.from('what libxl reads')]), chunk)
      let end = 0
      for (const part of parts) {
        end += part.length
        const got: Buffer[] = []
        for (let left = part.length; left > 0; ) {
          const bytes = Buffer.from((await reader.some(Math.min(ask(left), left))) as Uint8Array)
          got.push(bytes)
          left -= bytes.length
        }
        expect(Buffer.concat(got).equals(part)).toBe(true)
        expect(state.at).toBe(end)
      }
    },
  )

  it('takes one call for each record', async () => {
    const image = Buffer.concat([HEADERS, ...Array.from({ length: 50 }, () => record(XC.PAGE_DATA, 8200)), record(XC.END, 0)])
    const { state, reader } = descriptor(image)
    expect((await reader.copy(image.length)).length).toBe(image.length)
    expect(state.calls).toBe(51)
  })

  it('ends where the stream ends, though a record promises more', async () => {
    const { reader } = descriptor(Buffer.concat([HEADERS, record(XC.PAGE_DATA, 0xffff_fff0 & 0xffff).subarray(0, 100)]))
    expect((await reader.upTo(1000)).length).toBe(140)
    expect(await reader.some(1)).toBeUndefined()
  })
})
