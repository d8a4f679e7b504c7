import { setTimeout } from 'node:timers/promises'
import { packetComparer } from '@xen-replication/comparer'
import { describe, expect, it } from 'vitest'
import { opened, wants } from '../test/scripted-compare.ts'
import { arp, tcp, udp } from './frames.ts'
import { piped, realCompare, until, type RealCompare } from './real-compare.ts'

const never = new AbortController().signal
const hex = (frame: Uint8Array): string => Buffer.from(frame).toString('hex')

/** Lets QEMU read what it was sent on one socket before it is sent something on another. */
const settled = (): Promise<void> => setTimeout(150)

describe.each(['without', 'with'] as const)('a real colo-compare, %s vnet headers', (vnet) => {
  const start = async (options = ''): Promise<RealCompare> => realCompare(vnet, options)

  it('wants a checkpoint when packets differ, and lets the primary’s go behind it', async () => {
    const qemu = await start()
    const comparer = await opened(qemu.notify, { vnet })
    for (const text of ['first', 'second']) {
      expect(await wants(comparer)).toBe(false)
      qemu.primary.write(piped(udp(`${text} here`), vnet))
      qemu.secondary.write(piped(udp(`${text} thre`), vnet))
      expect(await comparer.diverged(never)).toBe('differs')
      expect(qemu.left()).not.toContain(hex(udp(`${text} here`)))
      await comparer.checkpoint()
      await until('the packet leaves', () => qemu.left().includes(hex(udp(`${text} here`))))
    }
    expect([qemu.left(), qemu.said()]).toEqual([['first here', 'second here'].map((text) => hex(udp(text))), ''])
  })

  it('wants one again and again for a packet that waits too long, and none when it had one', async () => {
    const qemu = await start(',compare_timeout=200,expired_scan_cycle=50')
    const comparer = await opened(qemu.notify, { vnet })
    qemu.primary.write(piped(udp('late'), vnet))
    await comparer.diverged(never)
    await setTimeout(500)
    await comparer.checkpoint()
    expect(await wants(comparer)).toBe(false)
    await setTimeout(300)
    expect(await wants(comparer)).toBe(false)
  })

  it('says so when its QEMU is gone', async () => {
    const qemu = await start()
    const comparer = await opened(qemu.notify, { vnet })
    const waiting = expect(comparer.diverged(never)).rejects.toMatchObject({ code: 'PROXY_LOST' })
    await qemu.kill()
    await waiting
    await expect(comparer.checkpoint()).rejects.toMatchObject({ code: 'PROXY_LOST' })
  })
})

describe('a real colo-compare and the comparer of this project', () => {
  /** `P` and `S` say who sends the frame; what leaves behind each is compared. */
  const dialogues: readonly (readonly [name: string, steps: readonly (readonly ['P' | 'S', Uint8Array])[]])[] = [
    ['ARP', [['S', arp()], ['P', arp()]]],
    ['UDP', [['P', udp('hello')], ['S', udp('hello', 77)], ['S', udp('ahead')], ['P', udp('ahead')]]],
    ['UDP that differs', [['P', udp('AAAA')], ['S', udp('BBBB')]]],
    ['TCP cut otherwise', [['P', tcp(1000, '0123456789')], ['S', tcp(1000, '01234')], ['S', tcp(1005, '56789')], ['S', tcp(1010, 'abcd')], ['P', tcp(1010, 'ab')], ['P', tcp(1012, 'cd')]]],
    ['TCP that differs', [['P', tcp(1000, 'xxxx')], ['S', tcp(1000, 'yyyy')]]],
    ['TCP that is sent again', [['P', tcp(1000, 'once')], ['S', tcp(1000, 'once')], ['S', tcp(1000, 'once')], ['P', tcp(1000, 'once')]]],
  ]

  it.each(dialogues)('let the same go: %s', async (_, steps) => {
    const qemu = await realCompare('without')
    const proxy = await opened(qemu.notify)
    const comparer = packetComparer()
    const left: string[] = []
    let diverged: string | undefined
    for (const [side, frame] of steps) {
      qemu[side === 'P' ? 'primary' : 'secondary'].write(piped(frame, 'without'))
      const { release, diverged: why } = comparer[side === 'P' ? 'primary' : 'secondary']({ card: 'net0', bytes: frame }, 0)
      left.push(...release.map(({ bytes }) => hex(bytes)))
      diverged = why
      await until('what is the same leaves', () => qemu.left().length >= left.length)
      await settled()
      expect(qemu.left()).toEqual(left)
    }
    expect(await wants(proxy)).toBe(diverged !== undefined)
    left.push(...comparer.checkpoint().map(({ bytes }) => hex(bytes)))
    await proxy.checkpoint()
    await until('what waits leaves', () => qemu.left().length >= left.length)
    expect(qemu.left()).toEqual(left)
  })
})
