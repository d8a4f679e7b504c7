import { BackendError, type DomainSummary, type DomId } from '@xen-replication/hypervisor'
import { describe, expect, it } from 'vitest'
import type { HostProbe } from '../../src/doctor/check.ts'
import { examine } from '../../src/doctor/examine.ts'
import { examineHost } from '../../src/doctor/examine-host.ts'
import { fakePlatform } from '../fakes/fake-platform.ts'

const INFO = 'xen_version            : 4.17.6\nvirt_caps              : pv hvm hap shadow\nfree_memory            : 900\n'
const MODULES = ['ifb', 'sch_plug', 'sch_ingress', 'cls_u32', 'act_mirred'].map((name) => `kernel/${name}.ko:\n`).join('')
const guest = (name: string, kind: DomainSummary['kind']): DomainSummary => ({
  domId: 5 as DomId, kind, width: undefined, maxVcpuId: 0, xen: { major: 4, minor: 17 }, dying: false, paused: false, shutdown: undefined, name, uuid: 'u', pages: 1, vcpus: 1, cpuTime: 0n,
})

/** A host on which all is well, but for what a test says. */
function probe(but: Partial<HostProbe> = {}): HostProbe {
  return {
    uid: 0,
    read: (path) => Promise.resolve({ '/proc/xen/capabilities': 'control_d\n', '/lib/modules/6.1/modules.dep': MODULES }[path]),
    list: () => Promise.resolve([]),
    kind: (path) => Promise.resolve(path.startsWith('/dev/') ? 'device' : 'folder'),
    run: (command) => Promise.resolve({ xl: INFO, uname: '6.1\n' }[command] ?? ''),
    lacks: () => Promise.resolve(undefined),
    platform: () => Promise.resolve(fakePlatform()),
    domains: () => Promise.resolve([]),
    config: () => Promise.resolve(undefined),
    ...but,
  }
}

const notWell = async (but: Partial<HostProbe>): Promise<readonly (readonly [string, string, string | undefined])[]> =>
  (await examine(probe(but))).findings.filter(({ verdict }) => verdict === 'problem' || verdict === 'warning').map(({ check, found, fix }) => [check, found, fix] as const)

describe('xr doctor', () => {
  it('finds nothing wrong with a host on which all is well', async () => {
    const { host, findings } = await examine(probe())
    expect(host).toBe('xen')
    expect(findings.filter(({ verdict }) => verdict !== 'ok')).toEqual([])
    expect(findings.map(({ found }) => found)).toContain('Xen 4.17 takes control calls of version 0x15')
  })

  it.each([
    ['a machine without Xen', { read: () => Promise.resolve(undefined) }, 'this machine does not run Xen'],
    ['a guest of Xen', { read: (path: string) => Promise.resolve(path === '/sys/hypervisor/type' ? 'xen\n' : '') }, 'this is a guest of a Xen host, not its control domain'],
    ['a control domain without xenfs', { read: (path: string) => Promise.resolve(path === '/sys/hypervisor/type' ? 'xen\n' : undefined) }, 'this runs under Xen, but /proc/xen/capabilities cannot be read'],
  ])('says plainly of %s that it is one, and looks at nothing else', async (_, but, found) => {
    const { host, findings } = await examine(probe({ ...but, platform: () => Promise.reject(new Error('must not be opened')) }))
    expect([host, findings.length, findings[0]?.found]).toEqual(['elsewhere', 1, found])
    expect(findings[0]?.fix).toBeDefined()
  })

  it.each<[string, Partial<HostProbe>, string, RegExp]>([
    ['another user', { uid: 1000 }, 'privileges', /sudo/],
    ['no /dev/xen/evtchn', { kind: (path) => Promise.resolve(path === '/dev/xen/evtchn' ? 'nothing' : path.startsWith('/dev') ? 'device' : 'folder') }, 'devices', /modprobe xen-evtchn/],
    ['no koffi', { lacks: (what) => Promise.resolve(what === 'koffi' ? 'koffi is not there' : undefined) }, 'koffi', /npm install koffi/],
    ['no libxencall', { lacks: (what) => Promise.resolve(what === 'xencall' ? 'libxencall.so.1 is not there' : undefined) }, 'libraries', /apt install libxencall1/],
    ['an unknown Xen', { platform: () => Promise.reject(new BackendError('BACKEND_UNSUPPORTED', 'unknown version', { hint: 'newer xr' })) }, 'hypervisor', /newer xr/],
    ['no xl', { run: (command) => Promise.resolve({ uname: '6.1\n', ip: '', tc: '' }[command]) }, 'xl', /xen-utils/],
    ['a Xen without shadow paging', { run: (command) => Promise.resolve({ xl: INFO.replace(' shadow', ''), uname: '6.1\n' }[command] ?? '') }, 'xl', /CONFIG_SHADOW_PAGING/],
    ['a host without virtualisation', { run: (command) => Promise.resolve({ xl: INFO.replace('hvm hap ', ''), uname: '6.1\n' }[command] ?? '') }, 'xl', /firmware/],
    ['little free memory', { run: (command) => Promise.resolve({ xl: INFO.replace('900', '20'), uname: '6.1\n' }[command] ?? '') }, 'xl', /dom0_mem/],
    ['no folder of libxl', { kind: (path) => Promise.resolve(path === '/var/lib/xen' ? 'nothing' : path.startsWith('/dev') ? 'device' : 'folder') }, 'folders', /mkdir/],
    ['leftovers', { list: () => Promise.resolve(['xr-restore-abc', 'qmp-libxl-5']) }, 'leftovers', /rm -r .*xr-restore-abc/],
    ['no modules to hold packets back', { read: (path) => Promise.resolve(path === '/proc/xen/capabilities' ? 'control_d\n' : undefined) }, 'network buffer', /all modules of your kernel/],
    ['no tc', { run: (command) => Promise.resolve({ xl: INFO, uname: '6.1\n', tc: undefined, ip: '' }[command]) }, 'network buffer', /iproute2/],
  ])('finds %s, and what to do about it', async (_, but, check, fix) => {
    const found = await notWell(but)
    expect(found.map(([name]) => name)).toEqual([check])
    expect(found[0]?.[2]).toMatch(fix)
  })

  it('finds a xenstored that does not answer', async () => {
    const platform = { ...fakePlatform(), xenstore: () => Promise.reject(new BackendError('BACKEND_HOST', 'xenstored is not reached')) }
    expect(await notWell({ platform: () => Promise.resolve(platform) })).toMatchObject([['xenstore', 'xenstored is not reached', expect.stringContaining('xenstored') as string]])
  })

  it('does not look at guests while the host has problems', async () => {
    const { findings } = await examine(probe({ uid: 1, domains: () => Promise.reject(new Error('must not be asked')) }))
    expect(findings.filter(({ verdict }) => verdict === 'skipped').map(({ check }) => check)).toEqual(['device models', 'disks', 'network buffer'])
  })

  it('finds device models that are locked in or do not answer, and disks that only this host sees', async () => {
    const domains = (): Promise<readonly DomainSummary[]> => Promise.resolve([guest('h', 'hvm'), guest('p', 'pvh')])
    const config = ({ name }: DomainSummary): Promise<string> => Promise.resolve(name === 'h' ? '{"b_info":{"dm_restrict":"True"},"disks":[{"pdev_path":"/a.img"},{"pdev_path":"/dev/vg/b"},{}]}' : 'nonsense')
    const kind: HostProbe['kind'] = (path) => Promise.resolve(path === '/a.img' ? 'file' : path.startsWith('/dev') ? 'device' : 'folder')
    expect((await notWell({ domains, config, kind })).map(([check, found]) => [check, found])).toEqual([
      ['device models', 'the device model of h is locked in (dm_restrict), so that it cannot write its state for xr'],
      ['disks', 'h has its disk in the file /a.img, which the other host does not see'],
    ])
    const mute = { ...fakePlatform(), qmp: () => Promise.reject(new BackendError('BACKEND_DEVICE_MODEL', 'nobody there')) }
    expect(await notWell({ domains, platform: () => Promise.resolve(mute) })).toMatchObject([['device models', 'the device model of h does not answer: nobody there', expect.stringContaining('qemu-dm-h.log') as string]])
  })

  it('survives a check that fails in a way nobody thought of', async () => {
    expect(await notWell({ domains: () => Promise.reject(new Error('odd')) })).toMatchObject([['device models', 'cannot be looked at: odd', expect.anything() as string], ['disks', 'cannot be looked at: odd', expect.anything() as string]])
  })

  it('tells of every problem and warning what to do', async () => {
    const { findings } = await examine(probe({ uid: 1, kind: () => Promise.resolve('nothing'), lacks: () => Promise.resolve('no'), platform: () => Promise.reject(new Error('no')), run: () => Promise.resolve(undefined) }))
    for (const { verdict, fix, found } of findings) expect([found, fix !== undefined]).toEqual([found, verdict === 'problem' || verdict === 'warning'])
  })

  it('looks at the machine that runs these tests, whatever it is', async () => {
    const { host, findings } = await examineHost()
    expect(['xen', 'elsewhere']).toContain(host)
    expect(findings.length).toBeGreaterThan(0)
  })
})
