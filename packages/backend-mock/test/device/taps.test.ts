import type { GuestPacket, PacketTap } from '@xen-replication/hypervisor'
import { describe, expect, it } from 'vitest'
import { running, type Running } from '../hosts.ts'

const never = new AbortController().signal
const numberOf = ({ bytes }: GuestPacket): number => Number(new DataView(bytes.buffer).getBigUint64(42))
const left = ({ host, domId }: Running): Promise<number[]> => host.inspect(domId, ({ nics }) => nics[0]?.out.map(({ number }) => number) ?? [])

async function tapped(settings: { readonly noiseEvery?: number; readonly seed?: number } = {}): Promise<Running & { readonly tap: PacketTap }> {
  const at = await running({ kind: 'hvm', rate: 1000, seed: 5, ...settings })
  const tap = (await at.host.openTaps(at.domId))[0] as PacketTap
  return { ...at, tap }
}

describe('a card whose packets are taken', () => {
  it('lets nothing leave that was sent after it was opened, until it is told to', async () => {
    const { tap, ...at } = await tapped()
    await at.host.advance(100)
    await tap.open()
    await at.host.advance(200)
    const packets = await tap.taken(never)
    expect(packets.map(numberOf)).toEqual([2, 3])
    expect(await left(at)).toEqual([1])
    await tap.send(packets)
    expect(await left(at)).toEqual([1, 2, 3])
    await tap.close('drop')
  })

  it('waits for packets, and stops waiting when told', async () => {
    const { tap, ...at } = await tapped()
    await tap.open()
    const soon = tap.taken(never)
    await at.host.advance(150)
    expect((await soon).map(numberOf)).toEqual([1])
    const stop = new AbortController()
    const rest = tap.taken(stop.signal)
    stop.abort(new Error('enough'))
    await expect(rest).rejects.toThrow('enough')
    await tap.close('drop')
  })

  it.each([['release', [1, 2, 3]], ['drop', [3]]] as const)('%s: what nobody asked for when it is closed', async (held, seen) => {
    const { tap, ...at } = await tapped()
    await tap.open()
    await at.host.advance(200)
    await tap.close(held)
    await tap.close(held)
    await at.host.advance(100)
    expect(await left(at)).toEqual(seen)
  })

  it('shows the same bytes for guests that have done the same, and others for those with noise', async () => {
    const bytes = async (settings: { readonly noiseEvery?: number }, later: number): Promise<string[]> => {
      const { tap, host } = await tapped(settings)
      await tap.open()
      await host.advance(later)
      await host.advance(400 - later)
      const packets = await tap.rest()
      await tap.close('drop')
      return packets.map((packet) => Buffer.from(packet.bytes).toString('hex'))
    }
    expect(await bytes({}, 150)).toEqual(await bytes({}, 350))
    const [one, other] = [await bytes({ noiseEvery: 2 }, 150), await bytes({ noiseEvery: 2 }, 350)]
    expect(one[0]).toBe(other[0])
    expect(one[1]).not.toBe(other[1])
  })

  it('is given back with nothing left', async () => {
    const { tap, host } = await tapped()
    await tap.open()
    await tap.close('drop')
    expect(host.leaks()).toEqual([])
  })
})
