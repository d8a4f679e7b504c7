import { PAGE_SIZE, type DomId, type RestoreRequest } from '@xen-replication/hypervisor'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { capabilitiesOf } from '../../src/host/capabilities.ts'
import { XenHost } from '../../src/host/xen-host.ts'
import { HYPERCALL } from '../../src/hypercall/hypercall.ts'
import { xlTool, type XlTool } from '../../src/xl/xl-tool.ts'
import { noGuard } from '../fakes/no-guard.ts'
import { fakePlatform } from '../fakes/fake-platform.ts'

const XL = join(import.meta.dirname, '../fakes/fake-xl.mjs')
const UUID = '00112233-4455-6677-8899-aabbccddeeff'
const OTHER = 7 as DomId
const MADE = 5

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'xr-test-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

/** A host with a guest `other`, on which `xl` behaves as told; domain 5 is what it makes. */
function host(how = 'well', kind: RestoreRequest['kind'] = 'pvh') {
  const platform = fakePlatform()
  const log = join(dir, 'log')
  writeFileSync(log, '')
  const alive = new Set<number>([OTHER, MADE])
  platform.store.nodes.set(`/local/domain/${OTHER}/name`, 'other')
  platform.store.nodes.set('/local/domain/0/name', 'Domain-0')
  platform.store.nodes.set('/local/domain/8/domid', '8') // one on its way out
  platform.hypercalls
    .on('info', ({ domain, answer }) => (alive.has(domain) || domain === 0 ? answer({ domain, flags: (kind === 'pv' ? 0 : 2) | 8, emulation: kind === 'hvm' ? 63 : 1, pages: 99n, onlineVcpus: 2, cpuTime: 123n, handle0: 0x33221100, handle1: 0x77665544, handle2: 0xbbaa9988, handle3: 0xffeeddcc }) : -3))
    .on('setHvmContext', () => 0)
    .on('setPolicy', () => 0)
    .on('unpause', () => 0)
  platform.hypercalls.others.set(HYPERCALL.hvmOp, () => 0)
  const tool = xlTool(XL)
  const xl: XlTool = { start: (args, env) => tool.start(args, { ...env, FAKE_XL: how, FAKE_XL_LOG: log }) }
  const backend = new XenHost({ platform, xl, capabilities: capabilitiesOf('', []), runDir: dir, libxlDir: dir, hasInterface: () => Promise.resolve(false), startGuard: noGuard })
  const said = (): string[] => readFileSync(log, 'utf8').trim().split('\n')
  return { platform, backend, said, alive, left: () => readdirSync(dir).filter((name) => name !== 'log') }
}

const request = (kind: RestoreRequest['kind'], name = 'new'): RestoreRequest => ({ kind, name, config: '{"c_info": {"name": "old", "uuid": "x"}, "b_info": {"n": 1}}' })

describe('the list of a host', () => {
  it('has its guests, without the control domain and those on their way out', async () => {
    expect(await host().backend.list()).toEqual([
      { domId: OTHER, kind: 'pvh', width: undefined, maxVcpuId: 0, xen: { major: 4, minor: 17 }, dying: false, paused: true, shutdown: undefined, name: 'other', uuid: UUID, pages: 99, vcpus: 2, cpuTime: 123n },
    ])
  })
})

describe('the configuration of a guest', () => {
  it('is what libxl keeps of it, to the letter', async () => {
    const { backend } = host()
    const text = '{"c_info": {"name": "other"},  "disks": []}\n'
    writeFileSync(join(dir, `userdata-d.${OTHER}.${UUID}.libxl-json`), `${text}\0`)
    expect(await backend.config(OTHER)).toBe(text)
  })

  it('has the name that the guest has now, not the one that xl received it under', async () => {
    const { backend } = host()
    writeFileSync(join(dir, `userdata-d.${OTHER}.${UUID}.libxl-json`), '{"c_info":{"name":"other--incoming","uuid":"x"},"disks":[]}\0')
    expect(JSON.parse(await backend.config(OTHER))).toEqual({ c_info: { name: 'other', uuid: 'x' }, disks: [] })
  })

  it('is missing of guests that libxl does not know', async () => {
    const { backend } = host()
    await expect(backend.config(MADE as DomId)).rejects.toMatchObject({ code: 'BACKEND_HOST' })
    await expect(backend.config(99 as DomId)).rejects.toMatchObject({ code: 'BACKEND_NO_SUCH_DOMAIN' })
  })
})

describe('a guest', () => {
  it('is renamed and destroyed by xl', async () => {
    const { backend, said, alive } = host()
    await backend.rename(OTHER, 'better')
    await backend.lifecycle(OTHER).destroy()
    expect(said()).toEqual(['rename 7 better', 'destroy 7'])
    await expect(backend.rename(MADE as DomId, 'other')).rejects.toMatchObject({ code: 'BACKEND_NAME_TAKEN' })
    alive.clear()
    await expect(backend.rename(OTHER, 'better')).rejects.toMatchObject({ code: 'BACKEND_NO_SUCH_DOMAIN' })
    await backend.lifecycle(OTHER).destroy()
  })

  it('that xl does not destroy is told of, in its words', async () => {
    await expect(host('refuse').backend.lifecycle(OTHER).destroy()).rejects.toMatchObject({ code: 'BACKEND_HOST', message: expect.stringContaining('destroy refused') as string })
  })

  it('is not made out of nothing', async () => {
    await expect(host().backend.create({ name: 'x', kind: 'pvh', settings: {} })).rejects.toMatchObject({ code: 'BACKEND_UNSUPPORTED' })
  })
})

describe('a guest to be restored', () => {
  it('is made by xl, filled here, and finished by xl', async () => {
    const { platform, backend, said, left } = host()
    const guest = await backend.openForRestore(request('pvh'))
    expect([guest.facts.domId, guest.rings]).toEqual([MADE, { store: { port: 11, domId: 0 }, console: { port: 12, domId: 3 } }])
    await expect(guest.lifecycle.unpause()).rejects.toMatchObject({ code: 'BACKEND_STATE' })
    await guest.cpu.setPolicy({ cpuid: new Uint8Array(24), msr: new Uint8Array(0) })
    await guest.cpu.setHvmContext(new Uint8Array(8))
    await guest.complete({ store: 0x1234, console: 0x99 })
    await guest.complete({ store: 0x1234, console: 0x99 })
    await guest.lifecycle.unpause()
    await guest.close()
    await guest.close()
    expect(said()).toEqual([
      'restore -p',
      'head Xen saved domain, xl format. . . 1020304 3 0',
      'config {"c_info":{"name":"new","uuid":"x"},"b_info":{"n":1}}$',
      'stream 4c6962786c466d740000000200000000 record 0100000000000000',
      'message 8 01000000', // MSRs are missing, CPUID is not
      'message 9 34120000000000009900000000000000',
      'message 10 0000000000000000',
      'helper 0',
      'record 0',
    ])
    expect([left(), platform.foreign.mapped, platform.foreign.grants.subarray(0, PAGE_SIZE).some((byte) => byte !== 0)]).toEqual([[], 0, true])
  })

  it('with a device model hands over what that is to start with, the last of it', async () => {
    const { backend, said } = host('well', 'hvm')
    const guest = await backend.openForRestore(request('hvm'))
    await guest.deviceModel?.setState(Buffer.from('QEVM first'))
    await guest.deviceModel?.setXenstore([['physmap/1/name', 'vram']])
    await guest.deviceModel?.setState(Buffer.from('QEVM last'))
    await guest.complete({ store: 0, console: 0 })
    await guest.close()
    expect(said().slice(-3)).toEqual(['record 2 \u0002.......physmap/1/name.vram.', 'record 3 \u0002.......QEVM last', 'record 0'])
  })

  it('with a device model of which nothing came is not finished', async () => {
    const { backend, said, left } = host('well', 'hvm')
    const guest = await backend.openForRestore(request('hvm'))
    await expect(guest.complete({ store: 0, console: 0 })).rejects.toMatchObject({ code: 'BACKEND_DEVICE_MODEL' })
    await guest.close()
    expect(said()).toContain('message 10 ffffffff00000000')
    expect(left()).toEqual([])
  })

  it('keeps its configuration to the letter when it has its name already', async () => {
    const { backend, said } = host()
    const config = '{ "c_info" : {"name": "new"},"big": 18446744073709551615 }'
    const guest = await backend.openForRestore({ kind: 'pvh', name: 'new', config })
    await guest.close()
    expect(said()).toContain(`config ${config}$`)
  })

  it('that is given up is ended by libxl, and by us when it stays', async () => {
    const { backend, said, left } = host()
    const guest = await backend.openForRestore(request('pvh'))
    await guest.close()
    await guest.close()
    expect(said().slice(-3)).toEqual(['message 10 ffffffff00000000', 'helper 0', 'destroy 5'])
    expect(left()).toEqual([])
    await expect(guest.memory.populate([1], 0)).rejects.toMatchObject({ code: 'BACKEND_STATE' })
  })

  it.each([
    ['fail-early', 'domain could not be made'],
    ['odd', 'something unknown'],
  ])('that xl does not make (%s) is told of, and nothing is left', async (how, words) => {
    const { backend, left } = host(how)
    await expect(backend.openForRestore(request('pvh'))).rejects.toMatchObject({ code: 'BACKEND_HOST', message: expect.stringContaining(words) as string })
    expect(left()).toEqual([])
  })

  it('that xl gives up in the middle, or does not finish, is told of', async () => {
    for (const [how, words] of [['fail-middle', 'out of memory'], ['fail-late', 'device model did not start']] as const) {
      const { backend, left } = host(how)
      const guest = await backend.openForRestore(request('pvh'))
      if (how === 'fail-middle') await new Promise((resolve) => setTimeout(resolve, 500))
      await expect(guest.complete({ store: 0, console: 0 })).rejects.toMatchObject({ code: 'BACKEND_HOST', message: expect.stringContaining(words) as string })
      await guest.close()
      expect(left()).toEqual([])
    }
  })

  it('for whose CPUs libxl has no policy is told of', async () => {
    const { backend } = host('no-policy')
    const guest = await backend.openForRestore(request('pvh'))
    await expect(guest.cpu.setHvmContext(new Uint8Array(8))).rejects.toMatchObject({ code: 'BACKEND_CPU_STATE' })
    await guest.close()
  })

  it('needs a free name and a configuration of libxl', async () => {
    const { backend, said } = host()
    await expect(backend.openForRestore(request('pvh', 'other'))).rejects.toMatchObject({ code: 'BACKEND_NAME_TAKEN' })
    for (const config of ['', 'name="x"', '[]', '{}', '{"c_info": 3}']) await expect(backend.openForRestore({ kind: 'pvh', name: 'x', config })).rejects.toMatchObject({ code: 'BACKEND_STATE' })
    expect(said()).toEqual([''])
  })

  it('needs xl', async () => {
    const { platform } = host()
    const backend = new XenHost({ platform, xl: xlTool(join(dir, 'no-xl')), capabilities: new Set(), runDir: dir, libxlDir: dir, hasInterface: () => Promise.resolve(false), startGuard: noGuard })
    await expect(backend.openForRestore(request('pvh'))).rejects.toMatchObject({ code: 'BACKEND_UNSUPPORTED' })
  })
})

describe('what a host can do', () => {
  it.each([['pv hvm hap shadow', true], ['pv hvm hap', false], ['', false]])('with %s: tracking writes of PV guests %s', (caps, tracks) => {
    expect(capabilitiesOf(`host : x\nvirt_caps              : ${caps}\nfree_memory : 3\n`, []).has('log-dirty-pv')).toBe(tracks)
  })

  it.each([[[], true], [['sch_plug'], false]])('with modules %s missing: holding packets back %s', (lacking, holds) => {
    expect(capabilitiesOf('', lacking).has('network-buffer')).toBe(holds)
  })
})
