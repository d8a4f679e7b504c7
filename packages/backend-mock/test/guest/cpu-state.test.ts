import { describe, expect, it } from 'vitest'
import { createMockHost, virtualClock } from '@xen-replication/backend-mock'
import type { GuestForRestore, GuestForSave, PvVcpu } from '@xen-replication/hypervisor'
import { everyKind, opened } from '../hosts.ts'

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

/** Save records of a context: type, instance, length. */
function records(context: Uint8Array): (readonly [type: number, instance: number, length: number, at: number])[] {
  const found: (readonly [number, number, number, number])[] = []
  for (let at = 0; at < context.length; ) {
    const [type, instance, length] = [view(context).getUint16(at, true), view(context).getUint16(at + 2, true), view(context).getUint32(at + 4, true)]
    found.push([type, instance, length, at + 8])
    at += 8 + length
  }
  return found
}

async function stopped(spec: Parameters<typeof opened>[0], ms = 100): Promise<GuestForSave> {
  const { host, guest } = await opened(spec)
  await host.advance(ms)
  await guest.lifecycle.suspend()
  return guest
}

const empty = (kind: 'pv' | 'pvh' | 'hvm', vcpus = 2): Promise<GuestForRestore> =>
  createMockHost({ clock: virtualClock() }).openForRestore({ kind, name: 'new', config: JSON.stringify({ b_info: { max_vcpus: vcpus } }) })

describe('the context of an HVM guest', () => {
  it('has all its records, ascending, each of the size that Xen gives it', async () => {
    const context = await (await stopped({ kind: 'hvm', vcpus: 2 })).cpu.hvmContext()
    expect(records(context).map(([type, instance, length]) => [type, instance, length])).toEqual([
      [1, 0, 24], [2, 0, 1032], [2, 1, 1032], [3, 0, 8], [3, 1, 8], [4, 0, 400], [5, 0, 32], [5, 1, 32], [6, 0, 1024], [6, 1, 1024], [7, 0, 16], [8, 0, 8], [9, 0, 8], [10, 0, 56],
      [11, 0, 24], [12, 0, 1048], [13, 0, 8], [14, 0, 240], [14, 1, 240], [16, 0, 856], [16, 1, 856], [18, 0, 32], [18, 1, 32], [19, 0, 8], [19, 1, 8], [0, 0, 0],
    ])
  })

  it('of a PVH guest has none of the devices of a PC', async () => {
    const context = await (await stopped({ kind: 'pvh' })).cpu.hvmContext()
    expect(records(context).map(([type]) => type)).toEqual([1, 2, 5, 6, 13, 14, 16, 18, 19, 0])
  })

  it('tells how far the guest was: operations in rbx, cycles in the TSC', async () => {
    const context = await (await stopped({ kind: 'hvm' })).cpu.hvmContext()
    const [, , , cpu] = records(context)[1] as readonly [number, number, number, number]
    expect(view(context).getBigUint64(cpu + 520, true)).toBe(100n)
    expect(view(context).getBigUint64(cpu + 1008, true)).toBe(240_000_000n)
  })

  it('is taken again as it is, also when some records are shorter as older versions wrote them', async () => {
    const context = await (await stopped({ kind: 'hvm', vcpus: 2 })).cpu.hvmContext()
    const guest = await empty('hvm')
    await guest.cpu.setHvmContext(context)
    const lapics = records(context).filter(([type]) => type === 5)
    let shorter = Buffer.from(context)
    for (const [, , , at] of lapics.reverse()) {
      shorter.writeUInt32LE(24, at - 4)
      shorter = Buffer.concat([shorter.subarray(0, at + 24), shorter.subarray(at + 32)])
    }
    await guest.cpu.setHvmContext(new Uint8Array(shorter))
    await guest.close()
  })

  it.each([
    ['is empty', () => new Uint8Array(0), 'no record'],
    ['does not begin with a header', (bytes: Uint8Array) => bytes.subarray(32), 'begin with a header'],
    ['has another magic', (bytes: Uint8Array) => put32(bytes, 8, 1), 'magic'],
    ['breaks off', (bytes: Uint8Array) => bytes.subarray(0, -8), 'breaks off'],
    ['breaks off within a record', (bytes: Uint8Array) => bytes.subarray(0, 100), 'breaks off'],
    ['has an END with something in it', (bytes: Uint8Array) => joined(put32(bytes, bytes.length - 4, 8), new Uint8Array(8)), 'END'],
    ['has an unknown record', (bytes: Uint8Array) => put16(bytes, 32, 40), 'unknown'],
    ['has a record of another length', (bytes: Uint8Array) => put16(bytes, 32, 14), 'instead of 240'],
    ['is for more vCPUs than there are', (bytes: Uint8Array) => put16(bytes, 34, 2), 'instance 2'],
    ['claims more MSRs than it has', () => joined(new Uint8Array(header()), record(20, [2, 0, 0, 0, 0, 0, 0, 0, ...Array<number>(16).fill(0)])), 'save record 20'],
    ['has extended state that is compacted', () => joined(new Uint8Array(header()), record(16, compacted())), 'compacted'],
  ])('is refused when it %s', async (_, spoil: (bytes: Uint8Array) => Uint8Array, says) => {
    const context = await (await stopped({ kind: 'hvm', vcpus: 2 })).cpu.hvmContext()
    const guest = await empty('hvm')
    await expect(guest.cpu.setHvmContext(spoil(context.slice()))).rejects.toMatchObject({ code: 'BACKEND_CPU_STATE', message: expect.stringContaining(says) as string })
  })
})

function put16(bytes: Uint8Array, at: number, value: number): Uint8Array {
  view(bytes).setUint16(at, value, true)
  return bytes
}

function put32(bytes: Uint8Array, at: number, value: number): Uint8Array {
  view(bytes).setUint32(at, value, true)
  return bytes
}

const joined = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
const header = (): number[] => [1, 0, 0, 0, 24, 0, 0, 0, 0x86, 0x12, 0x38, 0x54, 1, 0, 0, 0, ...Array<number>(16).fill(0)]
const record = (type: number, body: readonly number[]): Uint8Array => joined(Uint8Array.of(type, 0, 0, 0, body.length & 255, body.length >> 8, 0, 0), Uint8Array.from(body))

function compacted(): number[] {
  const body = new Uint8Array(24 + 576)
  body[8] = body[16] = 3
  body[24 + 520] = 1
  return [...body]
}

describe('parameters of an HVM guest', () => {
  it('are as its builder set them, and zero otherwise', async () => {
    const { cpu } = await stopped({ kind: 'hvm' })
    expect(await Promise.all([1, 5, 6, 17, 32, 33, 9].map((index) => cpu.hvmParam(index)))).toEqual([0xfeffcn, 0xfeffdn, 0xfeffbn, 0xfefffn, 0xfeff0n, 8n, 0n])
    await expect(cpu.hvmParam(39)).rejects.toMatchObject({ code: 'BACKEND_CPU_STATE' })
  })

  it('are taken unless Xen would not: unknown, gone, or set before', async () => {
    const { cpu } = await empty('hvm')
    await cpu.setHvmParam(5, 7n)
    await cpu.setHvmParam(5, 7n)
    await cpu.setHvmParam(1, 7n)
    await cpu.setHvmParam(1, 8n)
    for (const [index, value] of [[5, 8n], [39, 1n], [-1, 1n], [0.5, 1n], [3, 1n], [25, 1n]] as const) await expect(cpu.setHvmParam(index, value)).rejects.toMatchObject({ code: 'BACKEND_CPU_STATE' })
  })
})

describe.each(everyKind)('$title', (spec) => {
  it('has a policy and a time stamp counter that another guest takes', async () => {
    const guest = await stopped(spec)
    const [policy, tsc] = [await guest.cpu.policy(), await guest.cpu.tsc()]
    expect(policy.cpuid.length % 24 + (policy.msr.length % 16)).toBe(0)
    expect(tsc).toEqual({ mode: 0, khz: 2_400_000, nsec: 100_000_000n, incarnation: 1 })
    const target = await empty(spec.kind)
    await target.cpu.setPolicy(policy)
    await target.cpu.setPolicy({ cpuid: new Uint8Array(0), msr: new Uint8Array(0) })
    await target.cpu.setTsc(tsc)
  })

  it('tells callers of another kind that it has not what they ask for', async () => {
    const guest = await stopped(spec)
    const target = await empty(spec.kind)
    const wrong = spec.kind === 'pv'
      ? [guest.cpu.hvmContext(), guest.cpu.hvmParam(1), target.cpu.setHvmContext(new Uint8Array(8)), target.cpu.setHvmParam(1, 1n)]
      : [guest.cpu.pvVcpu(0), target.cpu.setPvVcpu(0, 'msrs', new Uint8Array(0))]
    for (const call of wrong) await expect(call).rejects.toMatchObject({ code: expect.stringMatching(/BACKEND_(UNSUPPORTED|CPU_STATE)/) as string })
    expect(guest.deviceModel === undefined).toBe(spec.kind !== 'hvm')
    expect(guest.pv === undefined).toBe(spec.kind !== 'pv')
    expect([target.deviceModel === undefined, target.pv === undefined]).toEqual([spec.kind !== 'hvm', spec.kind !== 'pv'])
  })
})

describe('policies and counters', () => {
  const bytes = (...words: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(words).buffer)
  const none = new Uint8Array(0)

  it('are refused as Xen refuses them', async () => {
    const { cpu } = await empty('pv')
    for (const policy of [
      { cpuid: new Uint8Array(23), msr: none }, { cpuid: none, msr: new Uint8Array(15) }, { cpuid: bytes(0x12345678, 0, 0, 0, 0, 0), msr: none }, { cpuid: none, msr: bytes(0x10, 0, 0, 0) }, { cpuid: none, msr: bytes(0xce, 1, 0, 0) },
    ]) await expect(cpu.setPolicy(policy)).rejects.toMatchObject({ code: 'BACKEND_CPU_STATE' })
    for (const tsc of [{ mode: 3, khz: 1 }, { mode: -1, khz: 1 }, { mode: 1, khz: 0 }]) await expect(cpu.setTsc({ ...tsc, nsec: 0n, incarnation: 0 })).rejects.toMatchObject({ code: 'BACKEND_CPU_STATE' })
  })
})

describe.each(everyKind.filter(({ kind, p2m }) => kind === 'pv' && p2m === 'tree'))('vCPUs of $title', (spec) => {
  const width = spec.width as 4 | 8

  it('have all their parts, of the sizes that Xen gives them', async () => {
    const guest = await stopped({ ...spec, vcpus: 2 })
    const sizes = (vcpu: PvVcpu | undefined): number[] => [vcpu?.context, vcpu?.extended, vcpu?.xsave, vcpu?.msrs].map((part) => part?.length ?? -1)
    expect(sizes(await guest.cpu.pvVcpu(0))).toEqual([width === 8 ? 5168 : 2800, 64, 848, 0])
    expect(sizes(await guest.cpu.pvVcpu(1))).toEqual([width === 8 ? 5168 : 2800, 64, 848, 16])
    await expect(guest.cpu.pvVcpu(2)).rejects.toMatchObject({ code: 'BACKEND_CPU_STATE' })
    const first = await guest.cpu.pvVcpu(0)
    expect(view(first?.context as Uint8Array).getUint32(width === 8 ? 560 : 516, true)).toBe(100)
  })

  it('are refused as Xen refuses them', async () => {
    const { cpu, pv, memory } = await empty('pv')
    await pv?.setWidth(width)
    const context = new Uint8Array(width === 8 ? 5168 : 2800)
    const [mfn] = [...((await memory.populate([0], 0)) ?? [])] as [number]
    const cr3 = context.slice()
    view(cr3).setUint32(width === 8 ? 5008 : 2728, width === 8 ? mfn * 4096 : ((mfn << 12) | (mfn >>> 20)) >>> 0, true)
    if (width === 8) view(cr3).setUint32(5012, Math.floor(mfn / 2 ** 20), true)
    const gdt = cr3.slice()
    view(gdt).setUint32(width === 8 ? 4960 : 2704, 8000, true)
    const lent = cr3.slice()
    view(lent).setUint32(width === 8 ? 4960 : 2704, 16, true)
    for (const [part, bytes, says] of [
      ['context', context.subarray(1), 'instead of the'], ['context', context, "not the guest's"], ['context', gdt, '7168'], ['context', lent, "not the guest's"],
      ['extended', new Uint8Array(31), '32 to 128'], ['extended', new Uint8Array(129), '32 to 128'], ['msrs', new Uint8Array(15), 'whole number'], ['msrs', new Uint8Array(16), 'not taken'],
      ['msrs', Uint8Array.of(0x48, 0, 0, 0, 1, ...Array<number>(11).fill(0)), 'flags'], ['xsave', new Uint8Array(15), '16 at least'],
      ['xsave', Uint8Array.of(1, ...Array<number>(15).fill(0)), 'no image follows'], ['xsave', new Uint8Array(100), '576'], ['xsave', Uint8Array.of(2, ...Array<number>(700).fill(0)), 'xcr0_accum has not'],
      ['xsave', new Uint8Array(700).fill(4, 528, 529), 'the image has features'],
    ] as const) await expect(cpu.setPvVcpu(0, part, bytes)).rejects.toMatchObject({ code: 'BACKEND_CPU_STATE', message: expect.stringContaining(says) as string })
    await expect(cpu.setPvVcpu(2, 'msrs', new Uint8Array(0))).rejects.toMatchObject({ code: 'BACKEND_CPU_STATE' })
    await cpu.setPvVcpu(1, 'xsave', new Uint8Array(16))
    await cpu.setPvVcpu(1, 'context', cr3)
    await cpu.setPvVcpu(1, 'context', cr3)
    await expect(pv?.pin([{ level: 1, mfn }])).rejects.toMatchObject({ code: 'BACKEND_PAGE_TABLE' }) // it is the top table of vCPU 1
    await expect(pv?.pin(Array(1025).fill({ level: 1, mfn }) as never)).rejects.toMatchObject({ code: 'BACKEND_PAGE_TABLE' })
    await expect(pv?.pin([{ level: 4, mfn: 0x77777 }])).rejects.toMatchObject({ code: 'BACKEND_PAGE_TABLE' })
    await pv?.pin([{ level: width === 8 ? 4 : 3, mfn }])
    await expect(pv?.pin([{ level: width === 8 ? 4 : 3, mfn }])).rejects.toMatchObject({ message: expect.stringContaining('pinned already') as string })
  })

  it('that are offline are not there', async () => {
    const guest = await empty('pv')
    const [mfn] = [...((await guest.memory.populate([0], 0)) ?? [])] as [number]
    await guest.complete({ store: mfn, console: mfn })
    expect(guest.facts.maxVcpuId).toBe(1)
    await guest.close()
  })
})

describe('a device model', () => {
  it('has a state that begins as QEMU writes it and changes with the guest, and the same where the guest goes', async () => {
    const { host, guest } = await opened({ kind: 'hvm', modelXenstore: [['physmap/f0000000/start_addr', 'f0000000']], modelBytes: 5000 })
    await expect(guest.deviceModel?.state()).rejects.toMatchObject({ code: 'BACKEND_STATE' })
    await guest.lifecycle.suspend()
    const first = (await guest.deviceModel?.state()) as Uint8Array
    expect(String.fromCharCode(...first.subarray(0, 4))).toBe('QEVM')
    expect(first.length).toBe(5000)
    await guest.lifecycle.resume('cancelled')
    await host.advance(10)
    await guest.lifecycle.suspend()
    const second = (await guest.deviceModel?.state()) as Uint8Array
    expect(second.filter((byte, at) => byte !== first[at]).length).toBe(1)
    expect(await guest.deviceModel?.xenstore()).toEqual([['physmap/f0000000/start_addr', 'f0000000']])
  })

  it('of a guest that is built takes what looks like its state, and gives a foreign one back unchanged', async () => {
    const host = createMockHost({ clock: virtualClock() })
    const target = await host.openForRestore({ kind: 'hvm', name: 'new', config: '' })
    await expect(target.deviceModel?.setState(new Uint8Array(100))).rejects.toMatchObject({ code: 'BACKEND_DEVICE_MODEL' })
    const foreign = new TextEncoder().encode('QEVM and the rest')
    await target.deviceModel?.setXenstore([['a', 'b']])
    await target.deviceModel?.setState(foreign)
    await target.complete({ store: 0, console: 0 })
    await target.close()
    const guest = await host.openForSave(target.facts.domId)
    expect(await guest.deviceModel?.state()).toEqual(foreign)
    expect(await guest.deviceModel?.xenstore()).toEqual([['a', 'b']])
    const bare = await host.openForRestore({ kind: 'hvm', name: 'bare', config: '' })
    await bare.complete({ store: 0, console: 0 })
    await bare.close()
    await expect((await host.openForSave(bare.facts.domId)).deviceModel?.state()).rejects.toMatchObject({ code: 'BACKEND_DEVICE_MODEL' })
  })
})
