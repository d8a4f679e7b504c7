import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { domctlHead, domctlTables } from '../../src/domctl/tables.ts'
import { stable } from '../../src/hypercall/layouts.ts'
import { layoutFaults, readStruct, writeStruct, type Layout } from '../../src/hypercall/struct.ts'

/** As a C compiler measures them on x86-64, of public headers. */
const SIZES: Readonly<Record<string, number>> = {
  info: 112, shadowOp: 40, setVcpuContext: 16, getVcpuContext: 16, vcpuInfo: 24, getHvmContext: 16, setHvmContext: 16, setAddressSize: 8, getAddressSize: 8,
  getTsc: 24, setTsc: 24, pageInfo: 16, getXsave: 32, setXsave: 32, getMsrs: 16, setMsrs: 16, getPolicy: 40, setPolicy: 40,
}
const tables: readonly { readonly name: string; readonly key: string; readonly layout: Layout }[] = [...domctlTables].flatMap(([version, { commands }]) => Object.entries(commands).map(([name, { layout }]) => ({ name: `${name} of 0x${version.toString(16)}`, key: name, layout: layout })))

describe('tables of structures', () => {
  it.each([...tables, ...Object.entries(stable).map(([name, layout]) => ({ name, key: name, layout: layout })), { name: 'head', key: 'head', layout: domctlHead }])('$name has its fields side by side, aligned and inside', ({ layout }) => {
    expect(layoutFaults(layout)).toEqual([])
  })

  it.each(tables.filter(({ key }) => key in SIZES))('$name is as long as in C', ({ key, layout }) => {
    expect(layout.size).toBe(SIZES[key])
  })

  it('fit the union of 128 bytes', () => {
    for (const { name, layout } of tables) expect(layout.size, name).toBeLessThanOrEqual(128)
  })

  it.each([
    ['a field across another', { size: 8, fields: { a: [0, 'u32'], b: [2, 'u16'] } }, ['b at 2 lies across the field before it']],
    ['a field out of line', { size: 16, fields: { a: [4, 'u64'] } }, ['a at 4 is not aligned']],
    ['a field beyond the end', { size: 8, fields: { a: [8, 'u32'] } }, ['a at 8 leaves the 8 bytes']],
  ] as const)('with %s are found out', (_, layout, faults) => {
    expect(layoutFaults(layout)).toEqual(faults)
  })
})

describe('a structure', () => {
  it('gives back every value that was put into it, wherever it lies', () => {
    const value = { u8: fc.nat(0xff), u16: fc.nat(0xffff), u32: fc.nat(0xffffffff), u64: fc.bigInt(0n, (1n << 64n) - 1n) } as const
    for (const { layout } of tables) {
      const values = fc.record(Object.fromEntries(Object.entries(layout.fields).map(([name, [, kind]]) => [name, value[kind] as fc.Arbitrary<number | bigint>])))
      fc.assert(
        fc.property(values, fc.nat(64), (wanted, at) => {
          const bytes = new Uint8Array(at + layout.size + 8).fill(0xaa)
          writeStruct(layout, bytes, at, wanted as never)
          expect(readStruct(layout, bytes, at)).toEqual(wanted)
          expect([...bytes.subarray(0, at), ...bytes.subarray(at + layout.size)].every((byte) => byte === 0xaa)).toBe(true)
        }),
        { numRuns: 20 },
      )
    }
  })

  it('has zeros where nothing was said', () => {
    const bytes = new Uint8Array(24).fill(0xff)
    writeStruct(stable.mmuext, bytes, 0, { mfn: 0x1234n })
    expect(Buffer.from(bytes).toString('hex')).toBe('0000000000000000' + '3412000000000000' + '0000000000000000')
  })
})
