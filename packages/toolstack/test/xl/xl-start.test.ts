import { ByteReader, newXlHeader, sourceOfBytes, xlBlock, xlHeaderCodec, type XlHeader } from '@xen-replication/format'
import { describe, expect, it } from 'vitest'
import { encodeXlStart, readXlStart } from '../../src/xl/xl-start.ts'

const config = JSON.stringify({ c_info: { name: 'dömö', type: 'hvm' } })
const joined = (parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts)
const read = (bytes: Uint8Array) => readXlStart(new ByteReader(sourceOfBytes(bytes)))
const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const withBlock = (block: Uint8Array, header: Partial<XlHeader> = {}): Uint8Array => joined([xlHeaderCodec.encode({ ...newXlHeader(block.length), ...header }), block])
const withConfig = (value: string, header: Partial<XlHeader> = {}): Uint8Array => withBlock(xlBlock.encode({ config: text(value), rest: new Uint8Array(0) }), header)

describe('the start of an xl file', () => {
  it('is read as it was written, and not a byte further', async () => {
    const bytes = joined([...encodeXlStart(config), text('LibxlFmt')])
    const reader = new ByteReader(sourceOfBytes(bytes))
    expect(await readXlStart(reader)).toEqual({ config, name: 'dömö', kind: 'hvm' })
    expect(reader.offset).toBe(bytes.length - 8)
  })

  it('may hold an xl.cfg', async () => {
    expect(await read(withConfig('name = "demo"\ntype = "pvh"\n', { mandatoryFlags: 2 }))).toMatchObject({ name: 'demo', kind: 'pvh' })
  })

  const other = (magic: Uint8Array): Uint8Array => Object.assign(new Uint8Array(32), magic)
  it.each([
    ['nothing', new Uint8Array(0), 'TOOL_IMAGE', /no Xen image/],
    ['text', text('some text'), 'TOOL_IMAGE', /no Xen image/],
    ['a libxl stream', text('LibxlFmt'), 'TOOL_IMAGE', /a bare libxl stream/],
    ['a libxc image', new Uint8Array(8).fill(255), 'TOOL_IMAGE', /a bare libxc image/],
    ['a legacy stream', Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0), 'TOOL_IMAGE', /a bare legacy stream/],
    ['an old xl file', withConfig(`${config}\0`, { mandatoryFlags: 1 }), 'TOOL_IMAGE', /before Xen 4\.6/],
    ['a cut header', joined(encodeXlStart(config)).subarray(0, 40), 'XL_HEADER_CUT', /48 bytes wanted, 40 came/],
    ['a cut block', joined(encodeXlStart(config)).subarray(0, 60), 'XL_HEADER_CUT', /at byte 60/],
    ['a damaged magic', withConfig(config, { magic: other(newXlHeader(0).magic.slice(0, 20)) }), 'XL_MAGIC', /./],
    ['the other byte order', withConfig(config, { byteOrder: 0x04030201 }), 'XL_BYTE_ORDER', /at byte 32/],
    ['a flag nobody knows', withConfig(config, { mandatoryFlags: 7 }), 'XL_MANDATORY_FLAGS', /at byte 36/],
    ['no block', withBlock(new Uint8Array(0)), 'XL_NO_CONFIG', /at byte 48/],
    ['a tiny block', withBlock(new Uint8Array(3)), 'XL_BLOCK_SHORT', /3 bytes/],
    ['a huge block', withBlock(new Uint8Array(8), { blockLength: 0xffff_ffff }), 'XL_CONFIG_LENGTH', /at most 67108864/],
    ['a configuration longer than its block', withBlock(Uint8Array.of(9, 0, 0, 0, 1)), 'XL_CONFIG_LENGTH', /9 bytes said, 1 there/],
    ['an empty configuration', withBlock(new Uint8Array(4)), 'XL_NO_CONFIG', /./],
    ['a configuration that is no JSON', withConfig('{'), 'TOOL_NO_CONFIG', /no name/],
    ['a configuration without a type', withConfig('{"c_info":{"name":"demo"}}'), 'TOOL_NO_CONFIG', /no type/],
  ])('that is %s is refused', async (_, bytes, code, message) => {
    await expect(read(bytes)).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string, hint: expect.any(String) as string })
  })
})
