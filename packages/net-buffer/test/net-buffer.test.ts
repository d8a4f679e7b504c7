import { netBuffer, netBufferCodes, type Ran, type Run } from '@xen-replication/net-buffer'
import type { CheckpointDevice } from '@xen-replication/hypervisor'
import { describe, expect, it } from 'vitest'
import { PlugModel } from './plug-model.ts'

const done: Ran = { status: 0, output: '', messages: '' }
const failed = (messages: string): Ran => ({ status: 2, output: '', messages })

/** A clock that needs no time. */
const clock = (): { now: () => number; sleep: (ms: number) => Promise<void> } => {
  let time = 0
  return {
    now: () => time,
    sleep: (ms) => {
      time += ms
      return Promise.resolve()
    },
  }
}

/** Writes down what was run, and answers as told. */
function scripted(answer: (line: string) => Ran | undefined = () => undefined): { readonly run: Run; readonly lines: string[] } {
  const lines: string[] = []
  const run: Run = (program, args, input) => {
    const batch = args.includes('-batch')
    const asked = batch ? input.trimEnd().split('\n').map((line) => `${program} ${line}`) : [`${program} ${args.join(' ')}`]
    lines.push(...asked)
    for (const line of asked) {
      const ran = answer(line)
      if (ran !== undefined) return Promise.resolve(ran)
    }
    if (asked[0]?.startsWith('tc -s -j') === true) return Promise.resolve({ ...done, output: '[]' })
    return Promise.resolve(/^(ip link del|tc qdisc del)/.test(asked[0] ?? '') ? failed('Cannot find device') : done)
  }
  return { run, lines }
}

const device = (run: Run, vifs = ['vif3.0']): CheckpointDevice => netBuffer({ vifs, clock: clock(), run })
const HELD = [
  'ip link add dev xr-vif3.0 type ifb', 'ip link set dev xr-vif3.0 up', 'tc qdisc add dev xr-vif3.0 root plug limit 10000000',
  'tc qdisc add dev vif3.0 handle ffff: ingress', 'tc filter add dev vif3.0 parent ffff: protocol all prio 10 u32 match u32 0 0 action mirred egress redirect dev xr-vif3.0',
]

describe('the commands', () => {
  it('hold every protocol back before the redirection begins', async () => {
    const { run, lines } = scripted()
    await device(run).setup()
    expect(lines).toEqual(['ip link show dev vif3.0', 'ip link del dev xr-vif3.0', ...HELD])
  })

  it('close an epoch at its end and release it when it is acknowledged', async () => {
    const { run, lines } = scripted()
    const one = device(run, ['vif3.0', 'vif3.1'])
    await one.setup()
    lines.length = 0
    await one.postsuspend(0)
    await one.preresume(0)
    await one.commit(0)
    expect(lines).toEqual(['block', 'release'].flatMap((action) => [0, 1].map((i) => `tc qdisc change dev xr-vif3.${i} root plug ${action}`)))
  })

  it('remove what a process that died has left, its redirection too', async () => {
    const { run, lines } = scripted((line) => (line === 'ip link del dev xr-vif3.0' ? done : undefined))
    await device(run).setup()
    expect(lines.slice(1)).toEqual(['ip link del dev xr-vif3.0', 'tc qdisc del dev vif3.0 ingress', ...HELD])
  })

  it('leave an ingress qdisc alone when nothing of ours is there', async () => {
    const { run, lines } = scripted((line) => (line.includes('handle ffff:') ? failed('Error: Exclusivity flag on, cannot modify.') : undefined))
    await expect(device(run).setup()).rejects.toMatchObject({ code: 'NETBUF_BUSY' })
    expect(lines.filter((line) => line.includes('del'))).toEqual(['ip link del dev xr-vif3.0', 'ip link del dev xr-vif3.0'])
  })

  it('drop packets before anything can get by', async () => {
    const { run, lines } = scripted()
    const one = device(run)
    await one.setup()
    lines.length = 0
    await one.teardown('drop')
    await one.teardown('drop')
    expect(lines).toEqual(['ip link del dev xr-vif3.0', 'tc qdisc del dev vif3.0 ingress'])
  })

  it('let all packets out before the device goes', async () => {
    let left = 3
    const { run, lines } = scripted((line) => (line.startsWith('tc -s') ? { ...done, output: JSON.stringify([{ dev: 'xr-vif3.0', root: true, qlen: left-- || (left = 0) }, { dev: 'eth0', root: true, qlen: 9 }]) } : undefined))
    const one = device(run)
    await one.setup()
    lines.length = 0
    await one.teardown('release')
    expect(lines.filter((line) => !line.startsWith('tc -s'))).toEqual(['tc qdisc change dev xr-vif3.0 root plug release_indefinite', 'tc qdisc del dev vif3.0 ingress', 'tc qdisc del dev vif3.0 ingress', 'ip link del dev xr-vif3.0'])
    expect(lines.indexOf('tc qdisc del dev vif3.0 ingress')).toBe(5)
  })

  it('are none for a guest without a network', async () => {
    const { run, lines } = scripted()
    const one = device(run, [])
    await one.setup()
    await one.postsuspend(0)
    await one.commit(0)
    expect(await one.waiting()).toBe(0)
    await one.teardown('release')
    expect(lines).toEqual([])
  })

  it('fit interfaces with long names, and tell them apart', async () => {
    const { run, lines } = scripted()
    await device(run, ['vif12345.0-emu', 'vif12345.1-emu']).setup()
    const made = lines.filter((line) => line.startsWith('ip link add')).map((line) => line.split(' ')[4] as string)
    expect(new Set(made).size).toBe(2)
    for (const name of made) expect(name).toMatch(/^xr-.{1,12}$/)
  })
})

describe('a setup that fails', () => {
  it.each(HELD.map((line, i) => [line, i] as const))('at `%s` leaves nothing', async (bad, i) => {
    const { run, lines } = scripted((line) => (line === bad ? failed('RTNETLINK answers: No such file or directory') : undefined))
    const one = device(run)
    await expect(one.setup()).rejects.toMatchObject({ code: 'NETBUF_FAILED' })
    const undone = lines.slice(lines.indexOf(bad) + 1)
    expect(undone).toEqual([...(i > 3 ? ['tc qdisc del dev vif3.0 ingress'] : []), ...(i > 0 ? ['ip link del dev xr-vif3.0'] : [])])
    await expect(one.postsuspend(0)).rejects.toMatchObject({ code: 'NETBUF_STATE' })
  })

  it('at the second interface leaves nothing at the first', async () => {
    const { run, lines } = scripted((line) => (line.includes('handle ffff:') && line.includes('vif3.1') ? failed('Error: Exclusivity flag on, cannot modify.') : undefined))
    await expect(device(run, ['vif3.0', 'vif3.1']).setup()).rejects.toMatchObject({ code: 'NETBUF_BUSY' })
    expect(lines.slice(-3)).toEqual(['ip link del dev xr-vif3.1', 'tc qdisc del dev vif3.0 ingress', 'ip link del dev xr-vif3.0'])
  })

  it.each([
    ['Error: Specified qdisc kind is unknown.', 'NETBUF_MODULE', 'sch_plug'],
    ['Error: Unknown device type.', 'NETBUF_MODULE', 'ifb'],
    ['RTNETLINK answers: Operation not permitted', 'NETBUF_DENIED', 'root'],
    ['Cannot find device "vif3.0"', 'NETBUF_VIF', 'ip link'],
    ['something new', 'NETBUF_FAILED', 'kernel'],
    ['', 'NETBUF_FAILED', 'kernel'],
  ])('with "%s" tells what to do: %s', async (messages, code, hint) => {
    const { run } = scripted((line) => (line.includes('plug') ? failed(messages) : undefined))
    await expect(device(run).setup()).rejects.toMatchObject({ code, hint: expect.stringContaining(hint) as string })
  })

  it('for an interface that is not there says so and changes nothing', async () => {
    const { run, lines } = scripted((line) => (line.startsWith('ip link show') ? failed('Device "vif3.0" does not exist.') : undefined))
    await expect(device(run).setup()).rejects.toMatchObject({ code: 'NETBUF_VIF' })
    expect(lines).toHaveLength(1)
  })

  it.each([[['vif 1']], [['-all']], [['a'.repeat(16)]], [['vif\n']], [['']], [['xr-vif3.0']], [['vif3.0', 'vif3.0']]])('for %j is refused', (vifs) => {
    expect(() => device(scripted().run, vifs)).toThrow(expect.objectContaining({ code: 'NETBUF_VIF' }) as Error)
  })
})

describe('use', () => {
  it('before setup and after teardown is refused', async () => {
    const one = device(scripted().run)
    const refused = { code: 'NETBUF_STATE' }
    for (const use of [() => one.postsuspend(0), () => one.commit(0)]) await expect(use()).rejects.toMatchObject(refused)
    await one.setup()
    await expect(one.setup()).rejects.toMatchObject(refused)
    await one.teardown('drop')
    for (const use of [() => one.postsuspend(0), () => one.commit(0)]) await expect(use()).rejects.toMatchObject(refused)
    expect(await one.waiting()).toBe(0)
  })

  it('tells how many packets wait', async () => {
    const { run } = scripted((line) => (line.startsWith('tc -s') ? { ...done, output: JSON.stringify([{ dev: 'xr-vif3.0', root: true, kind: 'plug', qlen: 4 }, { dev: 'xr-vif3.1', root: true, qlen: 3 }, { dev: 'lo', root: true, qlen: 50 }, { dev: 'xr-vif3.0', parent: 'ffff:fff1', qlen: 7 }]) } : undefined))
    const one = device(run, ['vif3.0', 'vif3.1'])
    await one.setup()
    expect(await one.waiting()).toBe(7)
  })

  it.each(['', '{}', 'garbage'])('with a tc that lists %j fails', async (output) => {
    const { run } = scripted((line) => (line.startsWith('tc -s') ? { ...done, output } : undefined))
    const one = device(run)
    await one.setup()
    await expect(one.waiting()).rejects.toMatchObject({ code: 'NETBUF_FAILED' })
  })

  it('a plug that cannot be switched is told', async () => {
    const { run } = scripted((line) => (line.endsWith('plug block') ? failed('Cannot find device "xr-vif3.0"\nCommand failed -:1') : undefined))
    const one = device(run)
    await one.setup()
    await expect(one.postsuspend(0)).rejects.toMatchObject({ code: 'NETBUF_VIF' })
  })

  it('packets that do not get out are told, and nothing is left behind', async () => {
    const { run, lines } = scripted((line) => (line.startsWith('tc -s') ? { ...done, output: JSON.stringify([{ dev: 'xr-vif3.0', root: true, qlen: 2 }]) } : undefined))
    const one = device(run)
    await one.setup()
    await expect(one.teardown('release')).rejects.toMatchObject({ code: 'NETBUF_STUCK' })
    expect(lines.at(-1)).toBe('ip link del dev xr-vif3.0')
  })

  it('a release that fails leaves nothing behind', async () => {
    const { run, lines } = scripted((line) => (line.endsWith('release_indefinite') ? failed('Cannot find device "xr-vif3.0"') : undefined))
    const one = device(run)
    await one.setup()
    await expect(one.teardown('release')).rejects.toMatchObject({ code: 'NETBUF_VIF' })
    expect(lines.slice(-2)).toEqual(['tc qdisc del dev vif3.0 ingress', 'ip link del dev xr-vif3.0'])
  })

  it('drives the qdisc so that packets of one epoch at a time come out', async () => {
    const plug = new PlugModel()
    const { run } = scripted((line) => {
      const action = / plug (block|release|release_indefinite)$/.exec(line)?.[1]
      if (action !== undefined) plug.change(action as 'block')
      return line.startsWith('tc -s') ? { ...done, output: JSON.stringify([{ dev: 'xr-vif3.0', root: true, qlen: plug.waiting }]) } : undefined
    })
    const one = device(run)
    await one.setup()
    for (const packet of [0, 1]) plug.enqueue(packet)
    await one.postsuspend(0)
    plug.enqueue(2)
    expect([plug.out, await one.waiting()]).toEqual([[], 3])
    await one.commit(0)
    expect(plug.out).toEqual([0, 1])
    await one.teardown('release')
    expect(plug.out).toEqual([0, 1, 2])
  })
})

it('each code is explained in a sentence', () => {
  for (const sentence of Object.values(netBufferCodes)) expect(sentence).toMatch(/^[A-Z].*\.$/)
})
