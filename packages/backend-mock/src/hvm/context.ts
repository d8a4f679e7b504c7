import { CPU_KHZ, CPU_SIGNATURE } from '../cpu/policy.ts'
import { createFpu, createXsave } from '../cpu/xsave.ts'
import { hash32, randomBytes } from '../random.ts'
import { SAVE, CPU_FIELDS, entries, MAGIC, saveVersion } from './save-records.ts'

/** What a context is made for. */
export interface ContextPlan {
  readonly kind: 'pvh' | 'hvm'
  readonly vcpus: number
  readonly seed: number
}

type Fill = (view: DataView, vcpu: number) => void
type Entry = readonly [type: number, instance: number, body: Uint8Array]

/** The hypervisor's save records of a guest that has booted: in order of their types, all vCPUs of a type in a row. */
export function createContext({ kind, vcpus, seed }: ContextPlan): Uint8Array {
  const all: Entry[] = [entry(SAVE.HEADER, 0, 24, fillHeader)]
  const each = (type: number, bytes: number, fill: Fill): void => {
    for (let id = 0; id < vcpus; id += 1) all.push(entry(type, id, bytes, fill))
  }
  each(SAVE.CPU, 1032, (view, id) => fillCpu(view, id, seed))
  if (kind === 'hvm') {
    all.push(entry(SAVE.PIC, 0, 8, (view) => fillPic(view, 'first')), entry(SAVE.PIC, 1, 8, (view) => fillPic(view, 'second')))
    all.push(entry(SAVE.IOAPIC, 0, 400, fillIoapic))
  }
  each(SAVE.LAPIC, 32, fillLapic)
  each(SAVE.LAPIC_REGS, 1024, fillLapicRegs)
  if (kind === 'hvm') {
    all.push(entry(SAVE.PCI_IRQ, 0, 16), entry(SAVE.ISA_IRQ, 0, 8, (view) => view.setUint8(0, 1)), entry(SAVE.PCI_LINK, 0, 8, fillLinks))
    all.push(entry(SAVE.PIT, 0, 56, fillPit), entry(SAVE.RTC, 0, 24, fillRtc), entry(SAVE.HPET, 0, 1048, fillHpet))
  }
  all.push(entry(SAVE.PMTIMER, 0, 8, (view) => view.setUint16(6, 0x120, true)))
  each(SAVE.MTRR, 240, fillMtrr)
  for (let id = 0; id < vcpus; id += 1) all.push([SAVE.CPU_XSAVE, id, xsaveBody(hash32(seed, id, 2))])
  each(SAVE.VMCE_VCPU, 32, (view) => view.setBigUint64(0, 0x1000002n, true))
  each(SAVE.TSC_ADJUST, 8, () => undefined)
  all.push(entry(SAVE.END, 0, 0))
  return joined(all)
}

/** Finds the CPU record of a vCPU in a context. */
export function cpuRecord(context: Uint8Array, vcpu: number): DataView | undefined {
  for (const { type, instance, body } of entries(context)) {
    if (type === SAVE.CPU && instance === vcpu) return new DataView(body.buffer, body.byteOffset, body.byteLength)
  }
  return undefined
}

function entry(type: number, instance: number, bytes: number, fill: Fill = () => undefined): Entry {
  const body = new Uint8Array(bytes)
  fill(new DataView(body.buffer), instance)
  return [type, instance, body]
}

function joined(all: readonly Entry[]): Uint8Array {
  const out = new Uint8Array(all.reduce((sum, [, , body]) => sum + 8 + body.length, 0))
  const view = new DataView(out.buffer)
  let at = 0
  for (const [type, instance, body] of all) {
    view.setUint16(at, type, true)
    view.setUint16(at + 2, instance, true)
    view.setUint32(at + 4, body.length, true)
    out.set(body, at + 8)
    at += 8 + body.length
  }
  return out
}

const fillHeader: Fill = (view) => {
  view.setUint32(0, MAGIC, true)
  view.setUint32(4, saveVersion, true)
  view.setBigUint64(8, 0xffffffffffffffffn, true)
  view.setUint32(16, CPU_SIGNATURE, true)
  view.setUint32(20, CPU_KHZ, true)
}

/** A 64-bit kernel in its own code: paging on, flat segments. */
function fillCpu(view: DataView, id: number, seed: number): void {
  const at = CPU_FIELDS
  new Uint8Array(view.buffer).set(createFpu(randomBytes(256, hash32(seed, id))), 0)
  view.setBigUint64(at.rsp, 0xffffc90000004000n + BigInt(id * 0x4000), true)
  view.setBigUint64(at.rip, 0xffffffff81000100n, true)
  view.setBigUint64(at.rflags, 0x202n, true)
  view.setBigUint64(at.cr0, 0x80050033n, true)
  view.setBigUint64(at.cr3, 0x2000n, true)
  view.setBigUint64(at.cr4, 0x6f0n, true)
  view.setBigUint64(at.dr6, 0xffff0ff0n, true)
  view.setBigUint64(at.dr7, 0x400n, true)
  const selectors = [0x10, 0x18, 0x18, 0, 0, 0x18, 0x40, 0]
  const access = [0xa9b, 0xc93, 0xc93, 0xc93, 0xc93, 0xc93, 0x8b, 0x10000]
  selectors.forEach((selector, n) => view.setUint32(at.selectors + n * 4, selector, true))
  for (let n = 0; n < 10; n += 1) view.setUint32(at.limits + n * 4, n < 6 ? 0xffffffff : n === 9 ? 0x7f : 0xfff, true)
  access.forEach((bits, n) => view.setUint32(at.access + n * 4, bits, true))
  view.setBigUint64(at.star, 0x0023001000000000n, true)
  view.setBigUint64(at.efer, 0xd01n, true)
  view.setUint32(at.flags, 1, true)
}

function fillPic(view: DataView, which: 'first' | 'second'): void {
  view.setUint8(1, which === 'first' ? 0xfb : 0xff)
  view.setUint8(3, which === 'first' ? 0x30 : 0x38)
  view.setUint8(5, which === 'first' ? 0x40 : 0)
  view.setUint8(6, which === 'first' ? 0 : 0x0c)
}

const fillIoapic: Fill = (view) => {
  view.setBigUint64(0, 0xfec00000n, true)
  for (let pin = 0; pin < 48; pin += 1) view.setBigUint64(16 + pin * 8, 0x10000n, true)
}

const fillLapic: Fill = (view, id) => {
  view.setBigUint64(0, id === 0 ? 0xfee00900n : 0xfee00800n, true)
  view.setUint32(12, 0x20, true)
  view.setUint32(24, id * 2, true)
}

const fillLapicRegs: Fill = (view, id) => {
  const put = (at: number, value: number): void => view.setUint32(at, value, true)
  put(0x20, (id * 2) << 24)
  put(0x30, 0x50014)
  put(0xd0, (1 << (24 + (id % 8))) >>> 0)
  put(0xe0, 0xffffffff)
  put(0xf0, 0x1ff)
  for (let lvt = 0x320; lvt <= 0x370; lvt += 0x10) put(lvt, 0x10000)
}

const fillLinks: Fill = (view) => [5, 10, 11, 5].forEach((irq, link) => view.setUint8(link, irq))

const fillPit: Fill = (view) => {
  for (let channel = 0; channel < 3; channel += 1) {
    view.setUint32(channel * 16, 0x10000, true)
    view.setUint8(channel * 16 + 12, 3)
    view.setUint8(channel * 16 + 15, channel === 2 ? 0 : 1)
  }
}

const fillRtc: Fill = (view) => {
  view.setUint8(10, 0x26)
  view.setUint8(11, 0x02)
  view.setUint8(13, 0x80)
}

const fillHpet: Fill = (view) => {
  view.setBigUint64(0, 0x0f424000_8086a201n, true)
  for (let timer = 0; timer < 3; timer += 1) {
    view.setBigUint64(256 + timer * 32, 0x00f0000000000030n, true)
    view.setBigUint64(264 + timer * 32, 0xffffffffffffffffn, true)
  }
}

const fillMtrr: Fill = (view) => {
  view.setBigUint64(0, 0x0007040600070406n, true)
  view.setBigUint64(8, 0xf0000000n, true)
  view.setBigUint64(16, 0x3ffff8000800n, true)
  for (let n = 0; n < 11; n += 1) view.setBigUint64(136 + n * 8, n === 2 || n === 3 ? 0n : 0x0606060606060606n, true)
  view.setBigUint64(224, 0x508n, true)
  view.setBigUint64(232, 0xc06n, true)
}

function xsaveBody(seed: number): Uint8Array {
  const area = createXsave(randomBytes(256, seed))
  const body = new Uint8Array(8 + area.length)
  new DataView(body.buffer).setBigUint64(0, 7n, true)
  body.set(area, 8)
  return body
}
