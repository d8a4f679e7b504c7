import type { DomId, RingPorts } from '@xen-replication/hypervisor'
import { describe, expect, it } from 'vitest'
import { XenGuests } from '../../src/xen-guests.ts'
import { HYPERCALL } from '../../src/hypercall/hypercall.ts'
import { stable } from '../../src/hypercall/layouts.ts'
import { readStruct, writeStruct } from '../../src/hypercall/struct.ts'
import { DOMID_XEN } from '../../src/platform/foreign-memory.ts'
import { FrameOfPfn } from '../../src/pv/frame-of-pfn.ts'
import { XenMachineMap } from '../../src/pv/machine-map.ts'
import { resumePv } from '../../src/pv/resume-pv.ts'
import { domainInfo } from '../../src/ports/domain-info.ts'
import { noGuard } from '../fakes/no-guard.ts'
import { fakePlatform } from '../fakes/fake-platform.ts'

const DOM = 5 as DomId
const CHUNK = 262_144
const rings: RingPorts = { store: { port: 1, domId: 0 }, console: { port: 2, domId: 0 } }

/** A machine whose table of frames has two chunks, of which Xen tells. */
function machine(width: 4 | 8 = 8) {
  const platform = fakePlatform()
  let address = width * 8
  platform.hypercalls
    .on('getAddressSize', ({ answer }) => answer({ size: address }))
    .on('setAddressSize', ({ fields }) => ((address = Number(fields['size'])), 0))
  platform.hypercalls.others.set(HYPERCALL.memoryOp, ([command, at]) => {
    if (command === 2) return CHUNK + 99
    if (command !== 5 && command !== 25) return -22
    const bytes = platform.hypercalls.memory(at)
    const { most, list } = readStruct(stable.machphysList, bytes, 0)
    const starts = command === 5 ? [0x1000, 0x2000] : [0x777]
    new BigUint64Array(platform.hypercalls.memory(list).buffer, platform.hypercalls.memory(list).byteOffset).set(starts.map(BigInt))
    writeStruct(stable.machphysList, bytes, 0, { most, list, count: Math.min(most, starts.length) })
    return 0
  })
  for (const [chunk, start] of [0x1000, 0x2000].entries()) {
    for (let page = 0; page < 512; page++) {
      const words = new BigUint64Array(512).map((_, i) => BigInt(chunk * CHUNK + page * 512 + i) * 3n)
      platform.foreign.put(DOMID_XEN, start + page, new Uint8Array(words.buffer))
    }
  }
  return platform
}

describe('the table of machine frames', () => {
  it('tells whose page a frame is, and maps no more of it than is looked at', () => {
    const platform = machine()
    const map = new XenMachineMap(platform, 'native')
    expect([map.maxMfn, map.compatFirstMfn, platform.foreign.mapped]).toEqual([CHUNK + 99, undefined, 0])
    expect([map.pfn(0), map.pfn(7), map.pfn(CHUNK - 1), platform.foreign.mapped]).toEqual([0, 21, (CHUNK - 1) * 3, 1])
    expect([map.pfn(CHUNK + 99), platform.foreign.mapped]).toEqual([(CHUNK + 99) * 3, 2])
    map.close()
    expect(platform.foreign.mapped).toBe(0)
    expect(() => map.pfn(7)).toThrow(expect.objectContaining({ code: 'BACKEND_STATE' }))
  })

  it('tells 32-bit guests where theirs begins', () => {
    expect(new XenMachineMap(machine(4), 'compat').compatFirstMfn).toBe(0x777)
  })

  it('says that nobody has what lies in no chunk', () => {
    expect(new XenMachineMap(machine(), 'native').pfn(3 * CHUNK)).toBeGreaterThan(2 ** 52)
  })
})

/** A PV guest with pfn n at frame 100 + n, and its p2m as a tree or as a list. */
function guest(width: 4 | 8, kind: 'tree' | 'list') {
  const platform = machine(width)
  const put = (frame: number, words: readonly (readonly [index: number, value: bigint])[], size: 4 | 8 = width): void => {
    const page = platform.foreign.put(DOM, frame)
    const view = new DataView(page.buffer)
    for (const [index, value] of words) if (size === 8) view.setBigUint64(index * 8, value, true)
    else view.setUint32(index * 4, Number(value), true)
  }
  const places = width === 8 ? { list: 3096 / 8, root: 3112 / 8, address: 3120 / 8 } : { list: 2320 / 4, root: 2328 / 4, address: 2332 / 4 }
  const leaf = Array.from({ length: 60 }, (_, pfn) => [pfn, BigInt(100 + pfn)] as const)
  put(50, [...leaf, [60, width === 8 ? 0xffff_ffff_ffff_ffffn : 0xffff_ffffn]])
  if (kind === 'tree') {
    put(7, [[places.list, 40n]])
    put(40, [[0, 41n]])
    put(41, [[0, 50n]])
  } else {
    const address = width === 8 ? 0xffff_c900_0000_0000n : 0xc000_0000n
    put(7, [[places.root, 40n << 12n], [places.address, address]])
    const entries = (level: number): number => Number((address >> BigInt(9 * level + 3)) & 511n)
    const levels = width === 8 ? 4 : 3
    for (let level = levels; level > 0; level--) put(level === levels ? 40 : 40 + levels - level, [[entries(level), (BigInt(level === 1 ? 50 : 41 + levels - level) << 12n) | 0x8000_0000_0000_0067n]], 8)
  }
  return platform
}

describe.each([[8, 'tree'], [8, 'list'], [4, 'tree'], [4, 'list']] as const)('the p2m of a guest of %i bytes a word, as a %s', (width, kind) => {
  it('tells where pages lie, and that others do not exist', () => {
    const platform = guest(width, kind)
    const lookup = new FrameOfPfn(platform, DOM, width, 7)
    expect([lookup.mfn(0), lookup.mfn(33), lookup.mfn(60)]).toEqual([100, 133, undefined])
    expect(platform.foreign.mapped).toBe(0)
  })
})

describe('a suspended PV guest that goes on as after a restore', () => {
  it.each([8, 4] as const)('of %i bytes a word has machine frames for its rings, and its other vCPUs anew', (width) => {
    const platform = guest(width, 'tree')
    const startInfo = platform.foreign.put(DOM, 0x99)
    const view = new DataView(startInfo.buffer)
    const at = width === 8 ? [56, 72] : [44, 52]
    at.forEach((place, i) => view.setUint32(place, 20 + i, true))
    const reset: unknown[] = []
    platform.hypercalls
      .on('info', ({ domain, answer }) => answer({ domain, maxVcpuId: 2, sharedInfoFrame: 7n }))
      .on('getVcpuContext', ({ fields, memory }) => {
        const bytes = memory(fields['context'])
        new DataView(bytes.buffer, bytes.byteOffset).setUint32(width === 8 ? 616 : 524, 0x99, true)
        return 0
      })
      .on('setVcpuContext', ({ fields }) => (reset.push([fields['vcpu'], fields['context']]), 0))
    resumePv(platform, DOM, domainInfo(platform, DOM))
    expect(at.map((place) => view.getUint32(place, true))).toEqual([120, 121])
    expect(reset).toEqual([[1, 0n], [2, 0n]])
    expect(platform.foreign.mapped).toBe(0)
  })
})

describe('a PV guest that is filled', () => {
  it('has tables pinned as Xen takes them', async () => {
    const platform = machine()
    let seen = ''
    platform.hypercalls.others.set(HYPERCALL.mmuextOp, ([at, count, done, domain]) => {
      seen = `${count}/${done}/${domain}: ${Buffer.from(platform.hypercalls.memory(at).subarray(0, 48)).toString('hex')}`
      return 0
    })
    const target = new XenGuests(platform, { scratchDir: '/nowhere', destroy: () => Promise.resolve(), startGuard: noGuard }).adoptForRestore(DOM, rings)
    await target.pv?.pin([{ level: 4, mfn: 0x1234 }, { level: 1, mfn: 5 }])
    expect(seen).toBe('2/0/5: ' + '0300000000000000' + '3412000000000000' + '0000000000000000' + '0000000000000000' + '0500000000000000' + '0000000000000000')
    platform.hypercalls.others.set(HYPERCALL.mmuextOp, () => -22)
    await expect(target.pv?.pin([{ level: 1, mfn: 5 }])).rejects.toMatchObject({ code: 'BACKEND_PAGE_TABLE' })
    await expect(target.pv?.pin(Array.from({ length: 1025 }, () => ({ level: 1 as const, mfn: 5 })))).rejects.toMatchObject({ code: 'BACKEND_PAGE_TABLE' })
    await target.close()
    await expect(target.pv?.pin([])).rejects.toMatchObject({ code: 'BACKEND_STATE' })
  })

  it('takes another word width, where the host has it', async () => {
    const platform = machine()
    const target = new XenGuests(platform, { scratchDir: '/nowhere', destroy: () => Promise.resolve(), startGuard: noGuard }).adoptForRestore(DOM, rings)
    expect(await target.pv?.width()).toBe(8)
    await target.pv?.setWidth(4)
    expect(await target.pv?.width()).toBe(4)
    platform.hypercalls.on('setAddressSize', () => -22)
    await expect(target.pv?.setWidth(8)).rejects.toMatchObject({ code: 'BACKEND_UNSUPPORTED' })
    expect(await target.pv?.sharedInfoFrame()).toBe(7)
  })

  it('is given memory page by page and in runs, and told where it lies', async () => {
    const platform = machine()
    const asked: unknown[] = []
    platform.hypercalls.others.set(HYPERCALL.memoryOp, ([command, at]) => {
      if (command !== 6) return command === 2 ? 99 : 0
      const { extents, count, order, flags, domain } = readStruct(stable.populate, platform.hypercalls.memory(at), 0)
      const words = new BigUint64Array(platform.hypercalls.memory(extents).buffer, platform.hypercalls.memory(extents).byteOffset, Number(count))
      asked.push([[...words].map(Number), order, flags, domain])
      if (order === 9) return 0
      words.forEach((pfn, i) => (words[i] = pfn + 1000n))
      return words.includes(1666n) ? Number(count) - 1 : Number(count)
    })
    const before = platform.hypercalls.held
    const target = new XenGuests(platform, { scratchDir: '/nowhere', destroy: () => Promise.resolve(), startGuard: noGuard }).adoptForRestore(DOM, rings)
    expect([...((await target.memory.populate([3, 7], 0)) ?? [])]).toEqual([1003, 1007])
    expect(await target.memory.populate([1024], 9)).toBeUndefined()
    await expect(target.memory.populate([5, 666], 0)).rejects.toMatchObject({ code: 'BACKEND_MEMORY' })
    expect(asked).toEqual([[[3, 7], 0, 0, DOM], [[1024], 9, 0, DOM], [[5, 666], 0, 0, DOM]])
    expect((await target.memory.populate(new Float64Array(2000), 0))?.length).toBe(2000)
    await target.close()
    expect(platform.hypercalls.held).toBe(before)
    await expect(target.memory.populate([1], 0)).rejects.toMatchObject({ code: 'BACKEND_STATE' })
  })

  it('has grants for its rings when it is complete, none towards itself', async () => {
    const platform = machine()
    const guests = new XenGuests(platform, { scratchDir: '/nowhere', destroy: () => Promise.resolve(), startGuard: noGuard })
    await guests.adoptForRestore(DOM, { store: { port: 1, domId: 3 }, console: { port: 2, domId: 0 } }).complete({ store: 0x1234, console: 0x99 })
    expect(Buffer.from(platform.foreign.grants.subarray(0, 16)).toString('hex')).toBe('0100' + '0000' + '99000000' + '0100' + '0300' + '34120000')
    platform.foreign.grants.fill(0)
    await guests.adoptForRestore(DOM, { store: { port: 1, domId: DOM }, console: { port: 2, domId: 0 } }).complete({ store: 1, console: 0xffffffff })
    expect(platform.foreign.grants.every((byte) => byte === 0)).toBe(true)
    expect(platform.foreign.mapped).toBe(0)
  })
})
