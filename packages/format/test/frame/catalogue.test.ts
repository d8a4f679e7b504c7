import { describe, expect, it } from 'vitest'
import { ByteReader } from '../../src/bytes/byte-reader.ts'
import { sourceOfBytes } from '../../src/bytes/byte-source.ts'
import { headerCodec, libxcCodec, libxlCodec } from '../../src/frame/catalogue.ts'
import { describeBody } from '../../src/frame/describe.ts'
import { walk } from '../../src/image/walk.ts'
import { XC } from '../../src/libxc/record-types.ts'
import { XL2 } from '../../src/libxl/record-types.ts'
import { vector, vectors } from '../vectors.ts'
import { thereAndBack } from './there-and-back.ts'

describe('the table of records', () => {
  it('has a codec for each libxc type of the specification but two: pages are not held, and TOOLSTACK is a thing of the past', () => {
    const without = Object.entries(XC).filter(([, type]) => libxcCodec(type) === undefined)
    expect(without.map(([name]) => name)).toEqual(['PAGE_DATA', 'TOOLSTACK'])
    for (const [name, type] of Object.entries(XC)) expect(libxcCodec(type)?.name ?? name).toBe(name)
  })
  it('has a codec for each libxl type', () => {
    for (const [name, type] of Object.entries(XL2)) expect(libxlCodec(type)).toMatchObject({ name, type })
  })
  it('has nothing for unknown types', () => {
    expect(libxcCodec(0x80000001)).toBeUndefined()
    expect(libxlCodec(6)).toBeUndefined()
  })
})

describe('everything in a well-formed stream except its pages', () => {
  it.each(vectors.filter(({ wellformed }) => wellformed).map(({ name }) => name))('has values by name and comes back byte for byte: %s', async (name) => {
    for await (const item of walk(new ByteReader(sourceOfBytes(vector(name))))) {
      if (item.kind === 'record' && !(item.layer === 'libxc' && item.type === XC.PAGE_DATA)) {
        thereAndBack(item.layer === 'libxc' ? libxcCodec(item.type) : libxlCodec(item.type), await item.body.all())
      } else if ('bytes' in item && item.kind !== 'padding' && item.kind !== 'stop') {
        thereAndBack(headerCodec(item.kind), item.bytes)
      }
    }
  })
})

it('nothing in a damaged stream makes a description fail', async () => {
  for (const { name } of vectors.filter(({ wellformed }) => !wellformed)) {
    for await (const item of walk(new ByteReader(sourceOfBytes(vector(name))))) {
      if (item.kind !== 'record') continue
      const codec = item.layer === 'libxc' ? libxcCodec(item.type) : libxlCodec(item.type)
      expect(Object.keys(describeBody(codec, await item.body.all()))).toHaveLength(1)
    }
  }
})
