import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeBody } from '../../src/frame/describe.ts'
import { joined } from '../../src/bytes/joined.ts'
import { bytesOfText, textOfBytes } from '../../src/frame/latin1.ts'
import { CHECKPOINT_STATE, checkpointState, checkpointStateName, encodeCheckpointState } from '../../src/libxl/checkpoint-state.ts'
import { checkpointEnd, libxcContext, libxlEnd } from '../../src/libxl/empty-records.ts'
import { emulatorName } from '../../src/libxl/emulator.ts'
import { emulatorContext } from '../../src/libxl/emulator-context.ts'
import { emulatorXenstoreData } from '../../src/libxl/emulator-xenstore-data.ts'
import { LIBXL, libxlHeaderCodec } from '../../src/libxl/stream-header.ts'
import { busy, thereAndBack, words } from '../frame/there-and-back.ts'
import { vector } from '../vectors.ts'

const wrongSize = expect.objectContaining({ code: 'FMT_BODY_SIZE' }) as Error
const text = (value: string): Uint8Array => bytesOfText(value) as Uint8Array

it('a libxl stream begins with its name, version and options', () => {
  const header = vector('ok_xl2_tiny').slice(0, 16)
  expect(libxlHeaderCodec.decode(header)).toEqual({ ident: LIBXL.ident, version: LIBXL.version, options: 0 })
  thereAndBack(libxlHeaderCodec, header)
})

it.each([[libxlEnd], [libxcContext], [checkpointEnd]])('$name has no body', (codec) => {
  expect(thereAndBack(codec, new Uint8Array(0))).toEqual({})
  expect(() => codec.decode(words(0))).toThrow(wrongSize)
})

describe('the device model’s own state', () => {
  it('is kept as it is, with the device model it is for', () => {
    const body = joined(words(2, 0), busy(10_000))
    expect(emulatorContext.decode(body)).toEqual({ emulator: 2, index: 0, state: busy(10_000) })
    thereAndBack(emulatorContext, body)
    expect([0, 1, 2, 3].map(emulatorName)).toEqual(['unknown', 'qemu-traditional', 'qemu', undefined])
  })
  it('is refused without that', () => {
    expect(() => emulatorContext.decode(words(2))).toThrow(wrongSize)
    expect(() => emulatorContext.fromJson({ emulator: 2, index: 0 })).toThrow(expect.objectContaining({ code: 'FMT_JSON' }))
  })
})

describe('what the device model needs in xenstore', () => {
  const of = (entries: string): Uint8Array => joined(words(2, 0), text(entries))
  it('is keys and values', () => {
    expect(thereAndBack(emulatorXenstoreData, of('physmap/f0/size\x001000\0physmap/f0/name\0\0'))).toEqual({
      emulator: 2,
      index: 0,
      entries: [
        { key: 'physmap/f0/size', value: '1000' },
        { key: 'physmap/f0/name', value: '' },
      ],
    })
    expect(thereAndBack(emulatorXenstoreData, of(''))).toMatchObject({ entries: [] })
  })
  it('comes back byte for byte whatever bytes the texts are of', () => {
    const anyText = fc.uint8Array({ min: 1 }).map(textOfBytes)
    fc.assert(fc.property(fc.array(anyText), (texts) => {
      thereAndBack(emulatorXenstoreData, of([...texts, ...texts].map((t) => `${t}\0`).join('')))
    }))
  })
  it.each([
    ['the last text does not end', 'a\0b'],
    ['a key has no value', 'a\0b\0c\0'],
    ['there are far more than libxl writes', '\0'.repeat((1 << 16) + 2)],
  ])('stays bytes when %s', (_, entries) => {
    expect(() => emulatorXenstoreData.decode(of(entries))).toThrow(expect.objectContaining({ code: expect.stringMatching(/^FMT_BODY_(SIZE|TOO_LARGE)$/) as string }))
    expect(describeBody(emulatorXenstoreData, of(entries))).toHaveProperty('raw')
  })
  it.each([
    ['a NUL within a text', { key: 'a\0', value: '' }, 'FMT_VALUE'],
    ['a character that is no byte', { key: 'a', value: '€' }, 'FMT_VALUE'],
    ['a number as value', { key: 'a', value: 1 }, 'FMT_JSON'],
    ['no key', { value: 'a' }, 'FMT_JSON'],
  ])('cannot be written with %s', (_, entry, code) => {
    const write = (): unknown => emulatorXenstoreData.encode(emulatorXenstoreData.fromJson({ emulator: 2, index: 0, entries: [entry] }))
    expect(write).toThrow(expect.objectContaining({ code }))
  })
})

describe('what the sides of COLO tell each other', () => {
  it('is one of four states', () => {
    expect(Object.entries(CHECKPOINT_STATE).map(([name, id]) => checkpointStateName(id) === name)).toEqual([true, true, true, true])
    expect(checkpointStateName(4)).toBeUndefined()
    expect(thereAndBack(checkpointState, words(2))).toEqual({ id: 2 })
  })
  it('goes on the wire in 16 bytes', () => {
    expect(encodeCheckpointState('SVM_READY')).toEqual(words(5, 4, 2, 0))
  })
  it('may be longer, as the specification draws it; then it stays bytes in JSON', () => {
    expect(checkpointState.decode(words(1, 0))).toEqual({ id: 1 })
    expect(describeBody(checkpointState, words(1, 0))).toEqual({ raw: '0100000000000000' })
    expect(() => checkpointState.decode(new Uint8Array(3))).toThrow(wrongSize)
  })
})
