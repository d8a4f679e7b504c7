import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json } from '../../../src/bytes/field.ts'
import { readStruct, viewOf } from '../../../src/bytes/struct.ts'
import { describeBody } from '../../../src/frame/describe.ts'
import { joined } from '../../../src/bytes/joined.ts'
import { cpu, cpuCompat } from '../../../src/libxc/hvm-context/cpu.ts'
import { HVM_SAVE } from '../../../src/libxc/hvm-context/header.ts'
import { hvmContext, type HvmSaveRecord } from '../../../src/libxc/hvm-context/hvm-context.ts'
import { HVM_SAVE_CODE, hvmSaveCodec, hvmSaveName } from '../../../src/libxc/hvm-context/save-records.ts'
import { busy, thereAndBack, words } from '../../frame/there-and-back.ts'

const END = new Uint8Array(8)
const saved = (typecode: number, instance: number, body: Uint8Array): Uint8Array => joined(words(typecode | (instance << 16), body.length), body)
const one = (typecode: number, body: Uint8Array): { readonly [key: string]: Json } =>
  (thereAndBack(hvmContext, joined(saved(typecode, 0, body), END)) as readonly { readonly [key: string]: Json }[])[0] ?? {}

/** Name, typecode and length in bytes of every save record of fixed length. */
const sizes = [
  ['END', 0, 0], ['HEADER', 1, 24], ['CPU', 2, 1032], ['CPU', 2, 1016], ['PIC', 3, 8], ['IOAPIC', 4, 400], ['LAPIC', 5, 32], ['LAPIC', 5, 24],
  ['LAPIC_REGS', 6, 1024], ['PCI_IRQ', 7, 16], ['ISA_IRQ', 8, 8], ['PCI_LINK', 9, 8], ['PIT', 10, 56], ['RTC', 11, 24], ['HPET', 12, 1048],
  ['PMTIMER', 13, 8], ['MTRR', 14, 240], ['VIRIDIAN_DOMAIN', 15, 32], ['VIRIDIAN_VCPU', 17, 216], ['VMCE_VCPU', 18, 32], ['TSC_ADJUST', 19, 8],
] as const

describe('an HVM context', () => {
  it('is its save records in order, down to END', () => {
    const bytes = joined(saved(1, 0, words(HVM_SAVE.magic, 1, 0xffffffff, 0xffffffff, 0x306c3, 2_000_000)), saved(HVM_SAVE_CODE.TSC_ADJUST, 1, words(5, 0)), END)
    expect(thereAndBack(hvmContext, bytes)).toEqual([
      { name: 'HEADER', typecode: 1, instance: 0, length: 24, value: { magic: HVM_SAVE.magic, version: 1, changeset: '0xffffffffffffffff', cpuid: 0x306c3, gtscKhz: 2_000_000 } },
      { name: 'TSC_ADJUST', typecode: 19, instance: 1, length: 8, value: { tscAdjust: '0x5' } },
      { name: 'END', typecode: 0, instance: 0, length: 0, value: {} },
    ])
    expect(hvmContext.encode(hvmContext.decode(bytes))).toEqual(bytes)
  })
  it('comes back byte for byte whatever its records hold', () => {
    const anyRecord = fc.record({ typecode: fc.integer({ min: 1, max: 30 }), instance: fc.nat(0xffff), body: fc.uint8Array({ maxLength: 40 }) })
    fc.assert(fc.property(fc.array(anyRecord), (records) => {
      thereAndBack(hvmContext, joined(...records.map(({ typecode, instance, body }) => joined(words(typecode + instance * 65536, body.length), body)), END))
    }))
  })
  it('keeps records that nobody knows, or of another length, as bytes', () => {
    expect(one(77, words(1))).toEqual({ typecode: 77, instance: 0, length: 4, raw: '01000000' })
    expect(one(10, words(1))).toEqual({ name: 'PIT', typecode: 10, instance: 0, length: 4, raw: '01000000' })
    expect(one(9, words(1, 1))).toMatchObject({ name: 'PCI_LINK', raw: '0100000001000000' })
  })
  it.each([
    ['is empty', new Uint8Array(0), /END one at last, but the context ends at byte 0/],
    ['has no END', saved(19, 0, words(1, 0)), /at byte 16/],
    ['ends within a descriptor', joined(saved(19, 0, words(1, 0)), words(0)), /at byte 16/],
    ['promises more than there is', words(2, 0xffffffff), /save record 2 of 4294967295 bytes goes past the end at byte 0/],
    ['has far more records than Xen writes', new Uint8Array(8 << 17).map((_, i) => (i % 8 === 0 ? 1 : 0)), /more than 65536 parts/],
    ['goes on after END', joined(END, words(7)), /4 bytes follow END at byte 8/],
  ])('is refused when it %s', (_, bytes, message) => {
    expect(() => hvmContext.decode(bytes)).toThrow(expect.objectContaining({ code: expect.stringMatching(/^FMT_BODY_(SIZE|TOO_LARGE)$/) as string }))
    expect(() => hvmContext.decode(bytes)).toThrow(message)
    expect(describeBody(hvmContext, bytes)).toHaveProperty('raw')
  })
})

describe('a save record', () => {
  it.each(sizes)('%s (%i) of %i bytes comes by name and back', (name, typecode, size) => {
    const codec = hvmSaveCodec(typecode, size)
    expect(hvmSaveName(typecode)).toBe(name)
    // What an encoder makes of arbitrary bytes has zeros in reserved places.
    const bytes = codec?.encode(codec.decode(busy(size))) as Uint8Array
    thereAndBack(codec, bytes)
  })
  it('has no name or codec when Xen has no such type', () => {
    expect([hvmSaveName(21), hvmSaveCodec(21, 8), hvmSaveCodec(2, 1024)]).toEqual([undefined, undefined, undefined])
  })
})

describe('a vCPU of an HVM guest', () => {
  const bytes = busy(1032)
  const view = viewOf(bytes)
  const wide = (at: number): bigint => view.getBigUint64(at, true)
  const narrow = (at: number): number => view.getUint32(at, true)
  const state = readStruct(cpu, bytes)
  it('has its registers where Xen keeps them', () => {
    expect([state.rax, state.r15, state.rip, state.rflags, state.cr0, state.cr2, state.cr3, state.cr4, state.dr0]).toEqual([512, 632, 640, 648, 656, 664, 672, 680, 688].map(wide))
    expect([state.selectors.cs, state.selectors.ldtr, state.limits.cs, state.limits.gdtr]).toEqual([736, 764, 768, 804].map(narrow))
    expect([state.bases.cs, state.bases.gdtr, state.sysenterCs, state.shadowGs, state.msrFlags]).toEqual([808, 880, 920, 944, 952].map(wide))
    expect([state.accessBytes.cs, state.pendingEvent, state.errorCode, state.flags]).toEqual([888, 1016, 1020, 1024].map(narrow))
    expect([state.msrLstar, state.msrEfer, state.msrTscAux, state.tsc]).toEqual([960, 992, 1000, 1008].map(wide))
  })
  it('was 16 bytes shorter once, without TSC_AUX', () => {
    const old = readStruct(cpuCompat, bytes)
    expect([old.rax, old.msrEfer, old.tsc]).toEqual([512, 992, 1000].map(wide))
    expect([old.pendingEvent, old.errorCode]).toEqual([1008, 1012].map(narrow))
  })
  it('has extended state of any length', () => {
    expect(one(HVM_SAVE_CODE.CPU_XSAVE, joined(words(0, 0, 7, 0, 3, 0), busy(600)))).toMatchObject({ value: { xfeatureMask: '0x0', xcr0: '0x7', xcr0Accum: '0x3' } })
  })
  it('has model-specific registers by name, one at least', () => {
    expect(one(HVM_SAVE_CODE.CPU_MSR, words(1, 0, 0x48, 0, 1, 0))).toMatchObject({ name: 'CPU_MSR', value: [{ name: 'SPEC_CTRL', index: 0x48, value: '0x1' }] })
    expect(one(HVM_SAVE_CODE.CPU_MSR, words(0, 0))).toHaveProperty('raw')
  })
  it('has a local APIC with registers by name', () => {
    const page = new Uint8Array(1024)
    viewOf(page).setUint32(0x380, 1000, true)
    expect(one(HVM_SAVE_CODE.LAPIC_REGS, page)).toMatchObject({ value: { id: 0, svr: 0, timerInitial: 1000 } })
  })
})

describe('virtual hardware', () => {
  const value = (typecode: number, body: Uint8Array): unknown => hvmSaveCodec(typecode, body.length)?.decode(body)
  it('is at the right places: interrupt controllers', () => {
    expect(value(3, Uint8Array.of(1, 2, 3, 0x20, 0x21, 0b0110_1011, 7, 1))).toEqual({
      ...{ irr: 1, imr: 2, isr: 3, irqBase: 0x20, init: { initState: 1, priorityAdd: 2 } },
      modes: { readselIsr: 1, poll: 1, autoEoi: 0, rotateOnAutoEoi: 1, specialFullyNested: 0, specialMask: 1, isMaster: 1, spare: 0 },
      ...{ elcr: 7, intOutput: 1 },
    })
    expect(value(5, words(0xfee00900, 0, 1, 11, 8, 0, 9, 0))).toEqual({ apicBaseMsr: 0xfee00900n, disabled: 1, timerDivisor: 11, tdtMsr: 8n, x2apicId: 9 })
  })
  it('is at the right places: timers', () => {
    const bytes = busy(1048)
    const view = viewOf(bytes)
    expect(value(12, bytes)).toMatchObject({ capability: view.getBigUint64(0, true), isr: view.getBigUint64(32, true), mc64: view.getBigUint64(240, true) })
    expect(value(12, bytes)).toMatchObject({ period: [1024, 1032, 1040].map((at) => view.getBigUint64(at, true)) })
    expect(value(13, words(5, 0x00020001))).toEqual({ tmrVal: 5, pm1aSts: 1, pm1aEn: 2 })
    expect(value(11, joined(busy(16), new Uint8Array(8).fill(0xff)))).toMatchObject({ cmosIndex: busy(16)[14], rtcOffset: -1n })
  })
})

it('an HVM context in JSON needs its records’ heads', () => {
  const refused = expect.objectContaining({ code: 'FMT_JSON' }) as Error
  expect(() => hvmContext.fromJson({})).toThrow(refused)
  expect(() => hvmContext.fromJson([{ typecode: 19, instance: 0, value: { tscAdjust: '0x0' } }])).toThrow(refused)
  const records: readonly HvmSaveRecord[] = hvmContext.fromJson([{ typecode: 0, instance: 0, length: 0, value: {} }])
  expect(hvmContext.encode(records)).toEqual(END)
})
