import { spawnSync } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { bench, freePort, startGuest, until, type RealQemu } from './real-qemu.ts'
import { checkpoints, xr, type Xr } from './xr.ts'

/** What stands in a packet of the guest, behind Ethernet, IP and UDP. */
interface Sent {
  readonly count: number
  /** Not zero: no other guest sends the same. */
  readonly mark: number
}

/** The other end of a network device. */
interface Network {
  readonly port: number
  /** What was let out of it, as it came. */
  readonly sent: Sent[]
}

async function network(): Promise<Network> {
  const socket: Socket = createSocket('udp4')
  const sent: Sent[] = []
  socket.on('message', (frame) => {
    if (frame.length >= 50 && frame.readUInt16BE(12) === 0x0800) sent.push({ count: frame.readUInt32LE(42), mark: frame.readUInt32LE(46) })
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  onTestFinished(() => void socket.close())
  return { port: socket.address().port, sent }
}

/** Counts that did not come, or came twice. Comparing changes the order of datagrams: whichever has its counterpart goes out. */
function gapsIn(sent: readonly Sent[]): readonly (readonly [number, number])[] {
  const counts = sent.map(({ count }) => count).sort((a, b) => a - b)
  return counts.slice(1).flatMap((count, i) => (count === (counts[i] ?? 0) + 1 ? [] : [[counts[i] ?? 0, count] as const]))
}

const NIC = ['-device', 'virtio-net-pci,netdev=hn0,mac=52:54:00:00:00:02,addr=5,romfile=']
const card = (to: number, at: number): readonly string[] => ['-netdev', `socket,id=hn0,udp=127.0.0.1:${to},localaddr=127.0.0.1:${at}`, ...NIC]

/** Makes a network interface that is the other end of a guest's card, if this user may. @returns how many packets have come out of it */
function tap(name: string): (() => number) | undefined {
  if (spawnSync('ip', ['tuntap', 'add', 'dev', name, 'mode', 'tap', 'vnet_hdr']).status !== 0) return undefined
  onTestFinished(() => void spawnSync('ip', ['link', 'delete', name]))
  spawnSync('ip', ['link', 'set', name, 'up'])
  return () => Number(readFileSync(`/sys/class/net/${name}/statistics/rx_packets`, 'utf8'))
}

/** Two QEMUs whose guests send, and who watches them. */
interface Watched {
  readonly primary: RealQemu
  readonly secondary: RealQemu
  readonly watcher: Xr
}

interface Compared extends Watched {
  readonly near: Network
  readonly far: Network
}

/** A pair with network cards that a test listens at. */
async function compared(options: readonly string[] = []): Promise<Compared> {
  const [near, far] = [await network(), await network()]
  const cards = { primary: card(near.port, await freePort()), secondary: card(far.port, await freePort()) }
  return { ...(await comparedBy(cards, options)), near, far }
}

/** A pair that has made five checkpoints because of what its guests send. */
async function comparedBy(cards: Readonly<Record<'primary' | 'secondary', readonly string[]>>, options: readonly string[]): Promise<Watched> {
  const rig = bench('sends')
  const at = (name: string): string => `unix:${join(rig.folder, name)}`
  const primary = await startGuest(rig, 'primary', cards.primary)
  const secondary = await startGuest(rig, 'secondary', [...cards.secondary, '-incoming', at('link')])
  await until('the guest counts', () => primary.counts().length > 5)
  const words = ['--primary', at('primary.watch'), '--secondary', at('secondary.watch'), '--link', at('link'), '-i', '600s', '--netdev', 'hn0', '--mirror', at('mirror'), '--compare', at('compare'), '--failure-timeout', '3s']
  const watcher = xr(['qemu-colo', '-v', ...words, ...options])
  await until(`checkpoints come: ${watcher.said()}`, () => checkpoints(watcher) >= 5 || watcher.process.exitCode !== null)
  return { primary, secondary, watcher }
}

/** The last packets may wait for their counterparts. */
const settled = ({ sent }: Network): readonly Sent[] => sent.filter(({ count }) => count < Math.max(...sent.map((one) => one.count)) - 16)

describe('a pair whose packets are compared', () => {
  it('makes checkpoints because they differ, and not by the clock; loses none, and goes on at the secondary', async () => {
    const { primary, secondary, watcher, near, far } = await compared(['--unsafe-no-arbiter'])
    await until('each sixteenth differs', () => near.sent.filter(({ mark }) => mark !== 0).length >= 5)
    expect(gapsIn(settled(near))).toEqual([])
    expect(near.sent[0]?.count).toBeLessThan(6)
    expect(near.sent.filter(({ count, mark }) => (count % 16 === 0) !== (mark !== 0))).toEqual([])
    expect(far.sent).toEqual([])
    const last = near.sent.at(-1)?.count ?? 0
    await primary.kill()
    expect(await watcher.end, watcher.said()).toBe(0)
    await until('the secondary sends', () => far.sent.length > 20)
    expect(far.sent[0]?.count).toBeGreaterThan(last - 40)
    expect(gapsIn(far.sent)).toEqual([])
    const { mode } = (await secondary.qmp.execute('query-colo-status')) as { mode: string }
    expect(mode).toBe('none')
  })

  it('goes on at the primary, and what it sends then goes out as it is', async () => {
    const { secondary, watcher, near, far } = await compared()
    await secondary.kill()
    expect(await watcher.end, watcher.said()).toBe(0)
    const before = near.sent.length
    await until('the primary sends', () => near.sent.length > before + 20)
    // QEMU drops what waits for its counterpart when the comparison is taken away (7.2, net/colo-compare.c, colo_compare_finalize)
    expect(gapsIn(near.sent).length).toBeLessThanOrEqual(1)
    expect(gapsIn(near.sent.slice(before))).toEqual([])
    expect(far.sent).toEqual([])
  })

  it('is silent at the secondary until it is granted that it goes on', async () => {
    const { primary, secondary, watcher, far } = await compared()
    await primary.kill()
    expect(await watcher.end, watcher.said()).toBe(6)
    const counted = secondary.counts().length
    await until('the guest of the secondary counts on', () => secondary.counts().length > counted + 20)
    expect(far.sent).toEqual([])
  })

  it('with virtio-net headers is compared behind them', async (ctx) => {
    const names = { primary: `xrp${process.pid}`, secondary: `xrs${process.pid}` }
    const [near, far] = [tap(names.primary), tap(names.secondary)]
    if (near === undefined || far === undefined) return ctx.skip('no tap interface can be made here')
    const cards = (side: 'primary' | 'secondary'): readonly string[] => ['-netdev', `tap,id=hn0,ifname=${names[side]},script=no,downscript=no,vnet_hdr=on`, ...NIC]
    const { primary, secondary, watcher } = await comparedBy({ primary: cards('primary'), secondary: cards('secondary') }, ['--unsafe-no-arbiter', '--vnet-header'])
    expect(checkpoints(watcher), watcher.said()).toBeGreaterThanOrEqual(5)
    expect(near()).toBeGreaterThan(50)
    expect(far()).toBe(0)
    await primary.kill()
    expect(await watcher.end, watcher.said()).toBe(0)
    await until('the secondary sends', () => far() > 20)
    expect(secondary.process.exitCode).toBeNull()
  })

  it('whose filters are told of headers that there are none of is compared all the same', async () => {
    const { near, far } = await compared(['--vnet-header'])
    expect(gapsIn(settled(near))).toEqual([])
    expect(far.sent).toEqual([])
  })
})
