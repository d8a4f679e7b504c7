import type { DomId, GuestFacts } from '@xen-replication/hypervisor'
import { describe, expect, it } from 'vitest'
import { HYPERCALL } from '../../src/hypercall/hypercall.ts'
import { XenCpuState } from '../../src/ports/cpu-state.ts'
import { XenCpuWriter } from '../../src/ports/cpu-writer.ts'
import type { DomctlCall } from '../fakes/fake-machine.ts'
import { fakePlatform } from '../fakes/fake-platform.ts'

function cpu(kind: GuestFacts['kind'], width?: 4 | 8) {
  const platform = fakePlatform()
  const facts: GuestFacts = { domId: 5 as DomId, kind, width, maxVcpuId: 1, xen: { major: 4, minor: 17 } }
  platform.hypercalls.on('getAddressSize', ({ answer }) => answer({ size: (width ?? 8) * 8 }))
  return { platform, reader: new XenCpuState(platform, facts), writer: new XenCpuWriter(platform, facts, () => undefined), held: platform.hypercalls.held }
}

describe('CPU state that is read', () => {
  it('has the policy, whose length is found by asking again', async () => {
    const { platform, reader, held } = cpu('pvh')
    const asked: unknown[] = []
    platform.hypercalls.on('getPolicy', ({ fields, answer, memory }) => {
      asked.push(fields['leaves'])
      if (Number(fields['leaves']) < 600) return -105
      memory(fields['leafArray']).fill(1, 0, 48)
      memory(fields['msrArray']).fill(2, 0, 16)
      return answer({ leaves: 2, msrs: 1 })
    })
    const { cpuid, msr } = await reader.policy()
    expect([asked, cpuid, msr]).toEqual([[512, 1024], new Uint8Array(48).fill(1), new Uint8Array(16).fill(2)])
    expect(platform.hypercalls.held).toBe(held)
  })

  it('has no policy that never ends', async () => {
    const { platform, reader, held } = cpu('pvh')
    platform.hypercalls.on('getPolicy', () => -105)
    await expect(reader.policy()).rejects.toMatchObject({ code: 'BACKEND_CPU_STATE' })
    expect(platform.hypercalls.held).toBe(held)
  })

  it('has the context of an HVM guest, which may be shorter than announced', async () => {
    const { platform, reader } = cpu('hvm')
    platform.hypercalls.on('getHvmContext', ({ fields, answer, memory }) => {
      if (fields['buffer'] === 0n) return answer({ size: 5000 })
      memory(fields['buffer']).fill(7)
      return answer({ size: 4100 })
    })
    expect(await reader.hvmContext()).toEqual(new Uint8Array(4100).fill(7))
  })

  it('has parameters of an HVM guest', async () => {
    const { platform, reader } = cpu('hvm')
    platform.hypercalls.others.set(HYPERCALL.hvmOp, ([command, at]) => {
      const view = new DataView(platform.hypercalls.memory(at).buffer, platform.hypercalls.memory(at).byteOffset)
      if (command !== 1 || view.getUint16(0, true) !== 5) return -22
      if (view.getUint32(4, true) > 38) return -22
      view.setBigUint64(8, BigInt(view.getUint32(4, true)) + (1n << 60n), true)
      return 0
    })
    expect(await reader.hvmParam(17)).toBe((1n << 60n) + 17n)
    await expect(reader.hvmParam(99)).rejects.toMatchObject({ code: 'BACKEND_CPU_STATE' })
  })

  it.each([[8, 5168], [4, 2800]] as const)('of a PV guest of %i bytes a word has registers of %i bytes, and what else there is', async (width, size) => {
    const { platform, reader, held } = cpu('pv', width)
    platform.hypercalls
      .on('vcpuInfo', ({ fields, answer }) => answer({ online: fields['vcpu'] === 0 ? 1 : 0 }))
      .on('getVcpuContext', ({ fields, memory }) => (memory(fields['context']).fill(3), 0))
      .on('getExtended', ({ union, answer }) => {
        answer({ size: 64 })
        union.fill(4, 8, 64)
        return 0
      })
      .on('getXsave', ({ fields, answer, memory }) => {
        if (fields['buffer'] === 0n) return answer({ mask: 7n, size: 1000n })
        memory(fields['buffer']).fill(5)
        return answer({ size: 900n })
      })
      .on('getMsrs', ({ fields, answer, memory }) => {
        if (fields['msrs'] === 0n) return answer({ count: 3 })
        memory(fields['msrs']).fill(6)
        return answer({ count: 1 })
      })
    const vcpu = await reader.pvVcpu(0)
    expect([vcpu?.context.length, vcpu?.extended.length, vcpu?.xsave.length, vcpu?.msrs.length]).toEqual([size, 64, 900, 16])
    expect([vcpu?.context[size - 1], vcpu?.extended[63], vcpu?.xsave[899], vcpu?.msrs[15]]).toEqual([3, 4, 5, 6])
    expect(await reader.pvVcpu(1)).toBeUndefined()
    expect(platform.hypercalls.held).toBe(held)
  })

  it('of a PV guest without FPU and MSR state has those parts empty', async () => {
    const { platform, reader } = cpu('pv', 8)
    platform.hypercalls.on('vcpuInfo', ({ answer }) => answer({ online: 1 })).on('getVcpuContext', () => 0).on('getExtended', () => 0).on('getXsave', () => 0).on('getMsrs', () => 0)
    const vcpu = await reader.pvVcpu(0)
    expect([vcpu?.extended, vcpu?.xsave, vcpu?.msrs].map((part) => part?.length)).toEqual([0, 0, 0])
  })

  it('of the other kind is refused', async () => {
    await expect(cpu('pv', 8).reader.hvmContext()).rejects.toMatchObject({ code: 'BACKEND_UNSUPPORTED' })
    await expect(cpu('pvh').reader.pvVcpu(0)).rejects.toMatchObject({ code: 'BACKEND_UNSUPPORTED' })
    await expect(cpu('pv', 8).reader.pvVcpu(2)).rejects.toMatchObject({ code: 'BACKEND_CPU_STATE' })
  })
})

describe('CPU state that is set', () => {
  it('goes to Xen as it came', async () => {
    const { platform, writer, held } = cpu('pv', 8)
    const seen: unknown[] = []
    const note = (name: string, from: string, length: (fields: Readonly<Record<string, number | bigint>>) => number) =>
      ({ fields, memory }: DomctlCall) => {
        seen.push([name, fields['vcpu'], [...memory(fields[from]).subarray(0, length(fields))].every((byte) => byte === 9)])
        return 0
      }
    platform.hypercalls.on('setVcpuContext', note('context', 'context', () => 5168)).on('setXsave', note('xsave', 'buffer', ({ size }) => Number(size))).on('setMsrs', note('msrs', 'msrs', ({ count }) => Number(count) * 16))
    platform.hypercalls.on('setExtended', ({ union, fields }) => (seen.push(['extended', fields['vcpu'], [...union.subarray(4, 64)].every((byte) => byte === 9)]), 0))
    await writer.setPvVcpu(1, 'context', new Uint8Array(5168).fill(9))
    await writer.setPvVcpu(1, 'extended', new Uint8Array(64).fill(9))
    await writer.setPvVcpu(1, 'xsave', new Uint8Array(700).fill(9))
    await writer.setPvVcpu(1, 'msrs', new Uint8Array(32).fill(9))
    expect(seen).toEqual([['context', 1, true], ['extended', 1, true], ['xsave', 1, true], ['msrs', 1, true]])
    expect(platform.hypercalls.held).toBe(held)
  })

  it.each([['context', 5167], ['context', 2800], ['extended', 8], ['extended', 129], ['msrs', 17]] as const)('with a %s of %i bytes is refused before Xen sees it', async (part, length) => {
    await expect(cpu('pv', 8).writer.setPvVcpu(0, part, new Uint8Array(length))).rejects.toMatchObject({ code: 'BACKEND_CPU_STATE' })
  })

  it('that the host cannot offer is refused with the leaf', async () => {
    const { platform, writer, held } = cpu('pvh')
    platform.hypercalls.on('setPolicy', ({ answer }) => (answer({ badLeaf: 7, badSubleaf: 1, badMsr: 0xffffffff }), -22))
    await expect(writer.setPolicy({ cpuid: new Uint8Array(24), msr: new Uint8Array(0) })).rejects.toMatchObject({ code: 'BACKEND_CPU_STATE', message: expect.stringContaining('leaf 0x7, subleaf 0x1') as string })
    await expect(writer.setPolicy({ cpuid: new Uint8Array(23), msr: new Uint8Array(0) })).rejects.toMatchObject({ code: 'BACKEND_CPU_STATE' })
    await writer.setPolicy({ cpuid: new Uint8Array(0), msr: new Uint8Array(0) })
    expect(platform.hypercalls.held).toBe(held)
  })

  it('of the other kind is refused', async () => {
    await expect(cpu('pv', 8).writer.setHvmContext(new Uint8Array(8))).rejects.toMatchObject({ code: 'BACKEND_CPU_STATE' })
    await expect(cpu('hvm').writer.setPvVcpu(0, 'msrs', new Uint8Array(0))).rejects.toMatchObject({ code: 'BACKEND_CPU_STATE' })
  })
})
