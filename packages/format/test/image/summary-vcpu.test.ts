import { describe, expect, it } from 'vitest'
import { summariseHvmContext, summarisePvVcpu } from '../../src/image/summary-vcpu.ts'
import { join, words, zeros } from '../rules/image-builder.ts'

const descriptor = (typecode: number, bytes: Uint8Array, instance = 0): Uint8Array => join(words(typecode | (instance << 16), bytes.length), bytes)
const END = words(0, 0)

describe('a vCPU of a PV guest', () => {
  it('shows where it stood, and the page table it used as a pfn', () => {
    const body = zeros(8 + 5168)
    const view = new DataView(body.buffer)
    view.setUint32(0, 3, true)
    view.setBigUint64(8 + 520 + 128, 0xffffffff81a442b5n, true)
    view.setBigUint64(8 + 520 + 152, 0xffffc90040083e30n, true)
    view.setBigUint64(8 + 5008, 0x2a10000n, true)
    expect(summarisePvVcpu(body)).toMatchObject({ id: 3, mode: 'x86_64', rip: 0xffffffff81a442b5n, rsp: 0xffffc90040083e30n, cr3Pfn: 0x2a10 })
  })

  it('of 32 bits turns its page-table register the other way', () => {
    const body = zeros(8 + 2800)
    new DataView(body.buffer).setUint32(8 + 2728, 0x12345_abc, true)
    expect(summarisePvVcpu(body)).toMatchObject({ id: 0, mode: 'x86_32', cr3Pfn: 0xabc12345 })
  })

  it('of any other length shows nothing', () => {
    expect(summarisePvVcpu(zeros(100))).toBeUndefined()
  })
})

describe('an HVM context', () => {
  const cpu = (size: number, cr0: bigint, efer: bigint): Uint8Array => {
    const bytes = zeros(size)
    const view = new DataView(bytes.buffer)
    view.setBigUint64(640, 0x7c5an, true)
    view.setBigUint64(656, cr0, true)
    view.setBigUint64(992, efer, true)
    return bytes
  }

  it('shows its vCPUs in the mode that they were in', () => {
    const body = join(descriptor(2, cpu(1032, 0x10n, 0n)), descriptor(2, cpu(1032, 0x11n, 0n), 1), descriptor(2, cpu(1016, 0x80000011n, 0x500n), 2), END)
    expect(summariseHvmContext(body).vcpus).toMatchObject([
      { id: 0, mode: 'real', rip: 0x7c5an },
      { id: 1, mode: 'protected' },
      { id: 2, mode: 'long' },
    ])
  })

  it('shows what it holds by kind', () => {
    const body = join(descriptor(1, zeros(24)), descriptor(3, zeros(8)), descriptor(3, zeros(8), 1), descriptor(2, zeros(5)), descriptor(99, zeros(1)), END, zeros(3))
    expect(summariseHvmContext(body)).toEqual({
      bytes: body.length,
      whole: true,
      vcpus: [],
      records: [
        { name: 'HEADER', typecode: 1, count: 1, bytes: 24 },
        { name: 'PIC', typecode: 3, count: 2, bytes: 16 },
        { name: 'CPU', typecode: 2, count: 1, bytes: 5 },
        { name: 'type 99', typecode: 99, count: 1, bytes: 1 },
      ],
    })
  })

  it('is not whole without its END', () => {
    expect(summariseHvmContext(descriptor(1, zeros(24)))).toMatchObject({ whole: false, records: [{ name: 'HEADER' }] })
    expect(summariseHvmContext(words(1, 24))).toMatchObject({ whole: false, records: [] })
    expect(summariseHvmContext(zeros(3))).toMatchObject({ whole: false, bytes: 3 })
  })
})
