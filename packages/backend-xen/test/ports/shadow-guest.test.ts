import type { DomId } from '@xen-replication/hypervisor'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { XenShadow } from '../../src/shadow-guest.ts'
import { HYPERCALL } from '../../src/hypercall/hypercall.ts'
import type { StartGuard } from '../../src/guard/guard.ts'
import { fakePlatform } from '../fakes/fake-platform.ts'

const DOM = 5 as DomId
/** XEN_DOMINF_*. */
const FLAG = { hvm: 2, paused: 8 } as const

let scratch = ''
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'xr-test-'))
})
afterEach(() => rmSync(scratch, { recursive: true }))

function host(kind: 'pv' | 'pvh' | 'hvm', state: 'paused' | 'runs' = 'paused') {
  const platform = fakePlatform()
  const ops: unknown[] = []
  const flags = (kind === 'pv' ? 0 : FLAG.hvm) | (state === 'paused' ? FLAG.paused : 0)
  platform.hypercalls
    .on('info', ({ domain, answer }) => answer({ domain, flags, emulation: kind === 'hvm' ? 0x3f : 1, maxVcpuId: 0, sharedInfoFrame: 7n }))
    .on('getAddressSize', ({ answer }) => answer({ size: 64 }))
    .on('shadowOp', ({ fields }) => {
      ops.push(fields['op'])
      return 0
    })
  platform.hypercalls.others.set(HYPERCALL.memoryOp, ([command]) => (command === 14 ? 0xfff : 0x3ffff))
  const told: number[] = []
  const startGuard: StartGuard = () => Promise.resolve({ tell: (duties) => told.push(duties), end: () => told.push(-1) })
  let model: Uint8Array | undefined = Uint8Array.of(1)
  const open = (): Promise<XenShadow> => XenShadow.open(platform, DOM, { scratchDir: scratch, startGuard, modelState: () => model })
  return { platform, ops, told, open, brings: (state: Uint8Array | undefined) => (model = state) }
}

describe('a guest that follows another one on Xen', () => {
  it('has its writes and those of its device model followed, until it is closed', async () => {
    const { platform, ops, told, open } = host('hvm')
    const shadow = await open()
    expect(told.at(-1)).toBe(7)
    await shadow.close()
    await shadow.close()
    expect(told.slice(-2)).toEqual([0, -1])
    expect(ops).toEqual([2, 0])
    expect(platform.model.commands).toEqual(['xen-set-global-dirty-log {"enable":true}', 'xen-set-global-dirty-log {"enable":false}'])
    expect(platform.model.open).toBe(0)
  })

  it('has its device model take the state of each checkpoint but the first, which libxl brings, from a file that nobody else reads and that is gone then', async () => {
    const { platform, open, brings } = host('hvm')
    const seen: string[] = []
    platform.model.onCommand = (command, args) => {
      if (command === 'xen-load-devices-state') seen.push(readFileSync(String(args?.['filename']), 'latin1'))
      return {}
    }
    const shadow = await open()
    await shadow.loadDeviceModel()
    expect(seen).toEqual([])
    for (const state of ['QEVM one', 'QEVM two']) {
      brings(Buffer.from(state))
      await shadow.loadDeviceModel()
    }
    expect(seen).toEqual(['QEVM one', 'QEVM two'])
    expect(readdirSync(scratch)).toEqual([])
    await shadow.close()
  })

  it('fails where a checkpoint has no state for the device model, or the model does not take it', async () => {
    const { platform, open, brings } = host('hvm')
    const shadow = await open()
    await shadow.loadDeviceModel()
    brings(undefined)
    await expect(shadow.loadDeviceModel()).rejects.toMatchObject({ code: 'BACKEND_DEVICE_MODEL' })
    brings(Uint8Array.of(2))
    platform.model.onCommand = () => {
      throw new Error('refused')
    }
    await expect(shadow.loadDeviceModel()).rejects.toThrow('refused')
    expect(readdirSync(scratch)).toEqual([])
  })

  it('needs no device model where it has none', async () => {
    const { platform, open } = host('pvh')
    const shadow = await open()
    await shadow.loadDeviceModel()
    await shadow.loadDeviceModel()
    await shadow.close()
    expect(platform.model.commands).toEqual([])
  })
})

describe('what cannot follow', () => {
  it.each([
    ['a PV guest', 'pv', 'paused', 'BACKEND_UNSUPPORTED'],
    ['a guest that runs', 'hvm', 'runs', 'BACKEND_STATE'],
  ] as const)('%s', async (_what, kind, state, code) => {
    const { ops, open } = host(kind, state)
    await expect(open()).rejects.toMatchObject({ code })
    expect(ops).toEqual([])
  })

  it('a guest with a network card, whose packets would leave on both hosts', async () => {
    const { platform, open } = host('hvm')
    await platform.store.write(`/libxl/${DOM}/device/vif/0`, '')
    await expect(open()).rejects.toMatchObject({ code: 'BACKEND_UNSUPPORTED', message: expect.stringContaining('network card') as string })
  })

  it('a guest whose writes Xen does not follow; the device model is left as it was', async () => {
    const { platform, open } = host('hvm')
    platform.hypercalls.on('shadowOp', () => -22)
    await expect(open()).rejects.toMatchObject({ code: 'BACKEND_LOG_DIRTY' })
    expect(platform.model.commands).toEqual([])
  })

  it('a guest whose device model does not answer: Xen follows nothing after that', async () => {
    const { platform, ops, open } = host('hvm')
    platform.model.onCommand = () => {
      throw new Error('nobody there')
    }
    await expect(open()).rejects.toThrow('nobody there')
    expect(ops).toEqual([2, 0])
  })
})
