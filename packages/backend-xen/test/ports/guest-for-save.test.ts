import type { DomId } from '@xen-replication/hypervisor'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { XenGuestForSave } from '../../src/guest-for-save.ts'
import { HYPERCALL } from '../../src/hypercall/hypercall.ts'
import { noGuard } from '../fakes/no-guard.ts'
import { fakePlatform } from '../fakes/fake-platform.ts'

const DOM = 5 as DomId
const FLAG = { hvm: 2 } as const
const XTAB = 15

let scratch = ''
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'xr-test-'))
})
afterEach(() => rmSync(scratch, { recursive: true }))

/** A host with a guest of a kind. */
function host(kind: 'pv' | 'pvh' | 'hvm', flags = 0) {
  const platform = fakePlatform()
  platform.hypercalls
    .on('info', ({ domain, answer }) => (domain === 0 || domain === DOM ? answer({ domain, flags: flags | (kind === 'pv' ? 0 : FLAG.hvm), emulation: kind === 'hvm' ? 0x3f : 1, maxVcpuId: 1, sharedInfoFrame: 7n }) : answer({ domain: domain + 1 })))
    .on('getAddressSize', ({ answer }) => answer({ size: 64 }))
  platform.hypercalls.others.set(HYPERCALL.memoryOp, ([command]) => (command === 14 ? 0xfff : command === 2 ? 0x3ffff : 0))
  return { platform, open: () => new XenGuestForSave(platform, DOM, { scratchDir: scratch, destroy: () => Promise.resolve(), startGuard: noGuard }) }
}

describe('a guest that is opened', () => {
  it.each(['pv', 'pvh', 'hvm'] as const)('is known as %s, and gives everything back', async (kind) => {
    const { platform, open } = host(kind)
    const before = platform.hypercalls.held
    const guest = open()
    expect(guest.facts).toEqual({ domId: DOM, kind, width: kind === 'pv' ? 8 : undefined, maxVcpuId: 1, xen: { major: 4, minor: 17 } })
    expect([guest.pv !== undefined, guest.deviceModel !== undefined]).toEqual([kind === 'pv', kind === 'hvm'])
    await guest.close()
    await guest.close()
    expect(platform.hypercalls.held).toBe(before)
  })

  it('is not another one, of which Xen 4.17 tells when asked for a number nobody has', () => {
    const { platform } = host('hvm')
    expect(() => new XenGuestForSave(platform, 9, { scratchDir: scratch, destroy: () => Promise.resolve(), startGuard: noGuard })).toThrow(expect.objectContaining({ code: 'BACKEND_NO_SUCH_DOMAIN' }))
  })

  it('is never the control domain', () => {
    const { platform } = host('pv')
    expect(() => new XenGuestForSave(platform, 0, { scratchDir: scratch, destroy: () => Promise.resolve(), startGuard: noGuard })).toThrow(expect.objectContaining({ code: 'BACKEND_STATE' }))
  })

  it('speaks neither to its device model nor to xenstore before it is asked to', async () => {
    const { platform, open } = host('hvm')
    await open().close()
    expect(platform.model.commands).toEqual([])
  })
})

describe('memory', () => {
  it('has the types that Xen tells, of whichever frames', async () => {
    const { platform, open } = host('pvh')
    platform.hypercalls.on('pageInfo', ({ fields, memory }) => {
      const words = new BigUint64Array(memory(fields['array']).buffer, memory(fields['array']).byteOffset, Number(fields['count']))
      words.forEach((frame, i) => (words[i] = frame === 2n ** 40n + 1n ? 0xf0000000n : frame << 28n))
      return 0
    })
    expect([...(await open().memory.types([0, 1, 9, 2 ** 40 + 1]))]).toEqual([0, 1, 9, XTAB])
  })

  it('has its types asked for again when memory was moved under the call, but not for ever', async () => {
    const { platform, open } = host('pvh')
    let faults = 2
    platform.hypercalls.on('pageInfo', ({ fields, memory }) => {
      const words = memory(fields['array'])
      const frame = words[0]
      words.fill(0xff, 0, 8) // half done
      if (faults-- > 0) return -14
      expect(frame).toBe(7)
      words.fill(0, 0, 8)
      return 0
    })
    const guest = open()
    expect([...(await guest.memory.types([7]))]).toEqual([0])
    faults = 3
    await expect(guest.memory.types([7])).rejects.toMatchObject({ code: 'BACKEND_MEMORY' })
  })

  it('tells of 1024 frames at once and of no more', async () => {
    const { platform, open } = host('pvh')
    platform.hypercalls.on('pageInfo', () => 0)
    const guest = open()
    expect(await guest.memory.types(new Float64Array(1024))).toHaveLength(1024)
    await expect(guest.memory.types(new Float64Array(1025))).rejects.toMatchObject({ code: 'BACKEND_MEMORY' })
    expect(await guest.memory.frames()).toBe(0x1000)
  })

  it('is mapped as one view, which is not given out once it is closed', async () => {
    const { platform, open } = host('pvh')
    for (const frame of [3, 4]) platform.foreign.put(DOM, frame, new Uint8Array(4096).fill(frame))
    const mapped = await open().memory.map([4, 3])
    expect([mapped.count, mapped.views.length, mapped.page(0)[0], mapped.page(1)[4095]]).toEqual([2, 1, 4, 3])
    expect(() => mapped.page(2)).toThrow(expect.objectContaining({ code: 'BACKEND_MAP' }))
    mapped.close()
    mapped.close()
    expect(platform.foreign.mapped).toBe(0)
    expect(() => mapped.page(0)).toThrow(expect.objectContaining({ code: 'BACKEND_STATE' }))
    expect(() => mapped.views).toThrow(expect.objectContaining({ code: 'BACKEND_STATE' }))
  })

  it('is unmapped with the guest, whatever was forgotten', async () => {
    const { platform, open } = host('pvh')
    platform.foreign.put(DOM, 3)
    const guest = open()
    await guest.memory.map([3])
    await guest.memory.map([])
    await guest.close()
    expect(platform.foreign.mapped).toBe(0)
    for (const look of [() => guest.memory.map([3]), () => guest.memory.types([3]), () => guest.memory.frames()]) await expect(look()).rejects.toMatchObject({ code: 'BACKEND_STATE' })
  })

  it('is not mapped when one frame is nobody’s', async () => {
    const { platform, open } = host('pvh')
    platform.foreign.put(DOM, 3)
    await expect(open().memory.map([3, 99])).rejects.toMatchObject({ code: 'BACKEND_MAP' })
    expect(platform.foreign.mapped).toBe(0)
  })
})

describe('writes of a guest', () => {
  it('are told once they are tracked, as bits that stay when the guest is closed', async () => {
    const { platform, open } = host('hvm')
    platform.hypercalls.on('shadowOp', ({ fields, answer, memory }) => {
      if (fields['op'] !== 11) return 0
      memory(fields['bitmap']).set([0b101, 1])
      return answer({ dirty: 3 })
    })
    const guest = open()
    await guest.dirty.enable()
    const { bitmap, estimate } = await guest.dirty.take(16, 'last')
    await guest.close()
    expect([[...bitmap], estimate]).toEqual([[5, 1], 3])
  })

  it('are told with the mode that says it is the last time', async () => {
    const { platform, open } = host('hvm')
    const seen: unknown[] = []
    platform.hypercalls.on('shadowOp', ({ fields }) => {
      seen.push([fields['op'], fields['mode'], fields['pages']])
      return 0
    })
    const guest = open()
    await guest.dirty.enable()
    await guest.dirty.take(9)
    await guest.dirty.take(9, 'last')
    await guest.dirty.peek(9)
    await guest.dirty.disable()
    await guest.dirty.disable()
    expect(seen).toEqual([[2, 0, 0n], [11, 0, 9n], [11, 1, 9n], [12, 0, 9n], [0, 0, 0n]])
  })

  it('are tracked although the screen’s were already', async () => {
    const { platform, open } = host('hvm')
    const ops: unknown[] = []
    platform.hypercalls.on('shadowOp', ({ fields }) => {
      ops.push(fields['op'])
      return ops.length === 1 ? -22 : 0
    })
    await open().dirty.enable()
    expect(ops).toEqual([2, 0, 2])
  })

  it.each([
    ['pv', -22, 'BACKEND_UNSUPPORTED'],
    ['pv', -95, 'BACKEND_UNSUPPORTED'],
    ['hvm', -22, 'BACKEND_LOG_DIRTY'],
    ['hvm', -12, 'BACKEND_LOG_DIRTY'],
  ] as const)('of a %s guest that cannot be tracked (%i) are told as %s', async (kind, errno, code) => {
    const { platform, open } = host(kind)
    platform.hypercalls.on('shadowOp', () => errno)
    await expect(open().dirty.enable()).rejects.toMatchObject({ code })
  })

  it('that were lost fail, with what to do', async () => {
    const { platform, open } = host('hvm')
    platform.hypercalls.on('shadowOp', ({ fields }) => (fields['op'] === 11 ? -12 : 0))
    const guest = open()
    await guest.dirty.enable()
    await expect(guest.dirty.take(8)).rejects.toMatchObject({ code: 'BACKEND_LOG_DIRTY', hint: expect.stringContaining('memory') as string })
  })

  it('of fewer pages than were asked for fail', async () => {
    const { platform, open } = host('hvm')
    platform.hypercalls.on('shadowOp', ({ fields, answer }) => (fields['op'] === 11 ? answer({ pages: 7n }) : 0))
    const guest = open()
    await guest.dirty.enable()
    await expect(guest.dirty.take(8)).rejects.toMatchObject({ code: 'BACKEND_LOG_DIRTY' })
  })

  it('are not told of when nothing is tracked, nor tracked twice', async () => {
    const { platform, open } = host('hvm')
    platform.hypercalls.on('shadowOp', () => 0)
    const guest = open()
    await expect(guest.dirty.take(8)).rejects.toMatchObject({ code: 'BACKEND_LOG_DIRTY' })
    await guest.dirty.enable()
    await expect(guest.dirty.enable()).rejects.toMatchObject({ code: 'BACKEND_LOG_DIRTY' })
  })

  it('are tracked no more when the guest is closed, even if it is gone', async () => {
    const { platform, open } = host('hvm')
    const ops: unknown[] = []
    platform.hypercalls.on('shadowOp', ({ fields }) => {
      ops.push(fields['op'])
      return fields['op'] === 0 ? -3 : 0
    })
    const guest = open()
    await guest.dirty.enable()
    await guest.close()
    expect(ops).toEqual([2, 0])
  })
})

describe('the device model', () => {
  it('is told to report its writes once, and to stop when the guest is closed', async () => {
    const { platform, open } = host('hvm')
    const guest = open()
    for (const state of ['on', 'on'] as const) await guest.deviceModel?.logDirty(state)
    await guest.close()
    expect(platform.model.commands).toEqual(['xen-set-global-dirty-log {"enable":true}', 'xen-set-global-dirty-log {"enable":false}'])
    expect(platform.model.open).toBe(0)
  })

  it('gives its state once it stands, the same each time, and leaves no file', async () => {
    const { platform, open } = host('hvm')
    let times = 0
    platform.model.onCommand = (command, args) => {
      if (command === 'xen-save-devices-state') writeFileSync(String(args?.['filename']), `QEVM${times++}`)
      return {}
    }
    const { deviceModel } = open()
    await expect(deviceModel?.state()).rejects.toMatchObject({ code: 'BACKEND_STATE' })
    await deviceModel?.stop()
    const first = await deviceModel?.state()
    expect(Buffer.from(first ?? []).toString()).toBe('QEVM0')
    expect(await deviceModel?.state()).toEqual(first)
    await deviceModel?.go()
    await deviceModel?.stop()
    expect(Buffer.from((await deviceModel?.state()) ?? []).toString()).toBe('QEVM1')
    expect(readdirSync(scratch)).toEqual([])
  })

  it('that writes nothing fails, and leaves no file', async () => {
    const { open } = host('hvm')
    const { deviceModel } = open()
    await deviceModel?.stop()
    await expect(deviceModel?.state()).rejects.toMatchObject({ code: 'BACKEND_DEVICE_MODEL' })
    expect(readdirSync(scratch)).toEqual([])
  })

  it('has its keys in xenstore in the order that libxl writes', async () => {
    const { platform, open } = host('hvm')
    const root = '/local/domain/0/device-model/5/physmap/f0000000'
    for (const [key, value] of [['name', 'vram'], ['start_addr', '0xf0000000'], ['size', '0x800000']]) platform.store.nodes.set(`${root}/${key}`, value ?? '')
    expect(await open().deviceModel?.xenstore()).toEqual([['physmap/f0000000/start_addr', '0xf0000000'], ['physmap/f0000000/size', '0x800000'], ['physmap/f0000000/name', 'vram']])
    platform.store.nodes.delete(`${root}/size`)
    await expect(open().deviceModel?.xenstore()).rejects.toMatchObject({ code: 'BACKEND_DEVICE_MODEL' })
  })
})
