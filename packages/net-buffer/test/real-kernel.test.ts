import { netBuffer, runProgram, type Run } from '@xen-replication/net-buffer'
import type { CheckpointDevice } from '@xen-replication/hypervisor'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checks } from '../lab/checks.mjs'
import { addresses, eventually, makeNetwork, namespacesAllowed, type Network } from '../lab/network.mjs'

const clock = { now: () => performance.now(), sleep: (ms: number) => sleep(ms) }
const within = ({ ns }: Network, over: (line: readonly string[]) => readonly string[] = (line) => line): Run => (program, args, input) =>
  runProgram(program, ['-n', ns.host, ...over(args)], input)
const hold = (network: Network): CheckpointDevice => netBuffer({ vifs: [network.vif], clock, run: within(network) })

const allowed = namespacesAllowed()

/** Whether this kernel has the plug qdisc; asked of the kernel. */
async function kernelHasPlug(): Promise<boolean> {
  const network = await makeNetwork()
  try {
    const device = hold(network)
    return await device.setup().then(() => device.teardown('drop').then(() => true), () => false)
  } finally {
    await network.remove()
  }
}
const plug = allowed && (await kernelHasPlug())

describe.skipIf(!allowed)('on the kernel of this machine', () => {
  let network: Network
  beforeEach(async () => {
    network = await makeNetwork({ neighbours: 'unknown' })
  })
  afterEach(() => network.remove())

  it.skipIf(plug)('without the plug qdisc setup says which modules are missing, and leaves nothing', async () => {
    await expect(hold(network).setup()).rejects.toMatchObject({ code: 'NETBUF_MODULE', hint: expect.stringContaining('modprobe sch_plug') as string })
    expect(network.leftOver()).toEqual([])
  })

  it('an ingress qdisc of somebody else is left as it is', async () => {
    await runProgram('tc', ['-n', network.ns.host, 'qdisc', 'add', 'dev', network.vif, 'handle', 'ffff:', 'ingress'], '')
    await expect(netBuffer({ vifs: [network.vif], clock, run: within(network, withoutPlug) }).setup()).rejects.toMatchObject({ code: 'NETBUF_BUSY' })
    expect(network.leftOver()).toEqual([expect.stringContaining('ingress')])
  })

  it('an interface that is not there is told', () =>
    expect(netBuffer({ vifs: ['vif9.9'], clock, run: within(network) }).setup()).rejects.toMatchObject({ code: 'NETBUF_VIF' }))

  it('every packet takes the way over the ifb, whatever its protocol, and nothing is left afterwards', async () => {
    const device = netBuffer({ vifs: [network.vif], clock, run: within(network, withoutPlug) })
    await device.setup()
    const ifb = `xr-${network.vif}`
    const [before, arrived] = [network.packetsInto(ifb), network.packetsInto(network.vif)]
    for (let i = 0; i < 20; i++) {
      await network.guest.send(4, addresses.outside[4], `${i}`)
      await network.guest.send(6, addresses.outside[6], `${i}`)
    }
    await eventually('all came', () => network.outside.saw.length === 40)
    for (const kind of ['udp4', 'udp6']) expect(network.outside.texts(kind)).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`))
    expect([network.knowsGuest(4), network.knowsGuest(6)]).toEqual([true, true])
    const [over, into] = [network.packetsInto(ifb) - before, network.packetsInto(network.vif) - arrived]
    expect(over).toBeGreaterThanOrEqual(42) // an ARP and a neighbour solicitation among them
    expect(Math.abs(over - into)).toBeLessThanOrEqual(2) // the two are not read at the same time
    await device.teardown('release')
    expect(network.leftOver()).toEqual([])
    await network.guest.send(4, addresses.outside[4], 'after')
    await eventually('the way is as before', () => network.outside.texts('udp4').at(-1) === 'after')
  })

  it('an ifb that a dead process has left is found and replaced', async () => {
    const run = within(network, withoutPlug)
    await netBuffer({ vifs: [network.vif], clock, run }).setup()
    const device = netBuffer({ vifs: [network.vif], clock, run })
    await device.setup()
    await network.guest.send(4, addresses.outside[4], 'hello')
    await eventually('it came', () => network.outside.texts('udp4').length === 1)
    await device.teardown('drop')
    expect(network.leftOver()).toEqual([])
  })
})

describe.skipIf(!plug)('with the plug qdisc', () => {
  for (const one of checks(hold)) it(one.name, () => one.run())
})

/** A queue that holds nothing back, in the place of the plug; its switches do nothing. */
function withoutPlug(args: readonly string[]): readonly string[] {
  const at = args.indexOf('plug')
  if (args[0] === '-force') return ['qdisc', 'show', 'dev', 'lo']
  return at < 0 ? args : [...args.slice(0, at), 'pfifo', 'limit', '1000']
}
