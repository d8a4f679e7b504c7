import { describe, expect, it } from 'vitest'
import { reserved, u32 } from '../../src/bytes/field.ts'
import { struct } from '../../src/bytes/struct.ts'
import { bodyFromDescription, describeBody } from '../../src/frame/describe.ts'
import { structRecord } from '../../src/frame/record.ts'
import { words } from './there-and-back.ts'

const speed = structRecord(0x77, 'SPEED', 'made up', struct(8, { khz: u32, _res: reserved(4) }))

describe('a record body as JSON', () => {
  it('has its values by name', () => {
    expect(describeBody(speed, words(1000, 0))).toEqual({ value: { khz: 1000 } })
    expect(bodyFromDescription(speed, { value: { khz: 1000 } })).toEqual(words(1000, 0))
    expect(speed).toMatchObject({ type: 0x77, name: 'SPEED', source: 'made up' })
  })
  it.each([
    ['something stands in a reserved place', speed, words(1000, 1), 'e803000001000000'],
    ['it is too short', speed, words(1000), 'e8030000'],
    ['nobody knows the record', undefined, words(1), '01000000'],
  ])('is bytes in hexadecimal when %s, and none is lost', (_, codec, body, raw) => {
    expect(describeBody(codec, body)).toEqual({ raw })
    expect(bodyFromDescription(codec, { raw })).toEqual(body)
  })
  it.each([
    ['hexadecimal with a slip', speed, { raw: '0g' }],
    ['hexadecimal that is a number', speed, { raw: 7 }],
    ['values of a record that has none', undefined, { value: {} }],
    ['neither', speed, {}],
    ['no object', speed, 'e8'],
    ['a value out of range', speed, { value: { khz: -1 } }],
  ])('is refused with a code when it is %s', (_, codec, description) => {
    expect(() => bodyFromDescription(codec, description)).toThrow(expect.objectContaining({ code: 'FMT_JSON' }))
  })
})
