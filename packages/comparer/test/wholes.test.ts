import { describe, expect, it } from 'vitest'
import { arp, ethernet, ipv4, ipv6, packet, ping, tagged, tcpBody, udp, udpBody } from './frames.ts'
import { pair } from './pair.ts'

describe('UDP and ICMP', () => {
  it('an answer leaves once the secondary has given the same', () => {
    const one = pair().primary(udp({ text: 'hello' }))
    expect([one.left, one.comparer.waiting]).toEqual([[], 1])
    one.secondary(udp({ text: 'hello' }))
    expect([one.left, one.comparer.waiting, one.diverged]).toEqual([[udp({ text: 'hello' })], 0, undefined])
  })

  it('what leaves is the primary’s packet, whichever came first', () => {
    const one = pair().secondary(udp({ text: 'hello', ident: 7, ttl: 63 })).primary(udp({ text: 'hello', ident: 8 }))
    expect(one.left).toEqual([udp({ text: 'hello', ident: 8 })])
  })

  it('another answer asks for a checkpoint, which lets the primary’s leave', () => {
    const one = pair().primary(udp({ text: 'AAAA' })).secondary(udp({ text: 'BBBB' }))
    expect([one.left, one.diverged]).toEqual([[], 'differs'])
    expect(one.checkpoint().left).toEqual([udp({ text: 'AAAA' })])
    one.primary(udp({ text: 'C' })).secondary(udp({ text: 'C' }))
    expect([one.left.length, one.diverged]).toEqual([2, undefined])
  })

  it('an answer of another length, or with another checksum, is another answer', () => {
    const odd = udpBody({ text: 'hello' }).with(7, 1)
    for (const other of [udp({ text: 'hello!' }), ipv4({ protocol: 17 }, odd)]) expect(pair().primary(udp({ text: 'hello' })).secondary(other).diverged).toBe('differs')
  })

  it('answers to several clients wait for their own counterparts', () => {
    const one = pair().primary(udp({ port: 1, text: 'a' })).primary(udp({ port: 2, text: 'b' })).secondary(udp({ port: 2, text: 'b' }))
    expect([one.left, one.diverged]).toEqual([[udp({ port: 2, text: 'b' })], undefined])
  })

  it('a secondary that answers in another order is no divergence while it is ahead', () => {
    const one = pair().secondary(udp({ text: '2' })).secondary(udp({ text: '1' })).primary(udp({ text: '1' })).primary(udp({ text: '2' }))
    expect([one.left, one.diverged]).toEqual([[udp({ text: '1' }), udp({ text: '2' })], undefined])
  })

  it('pings are answered alike', () => {
    expect(pair().primary(ping('abc')).secondary(ping('abc', 99)).left).toEqual([ping('abc')])
    expect(pair().primary(ping('abc')).secondary(ping('abd')).diverged).toBe('differs')
  })

  it('the filling of a short frame is not compared', () => {
    const filled = (byte: number): Uint8Array => Uint8Array.from([...udp({ text: 'x' }), ...new Array<number>(17).fill(byte)])
    expect(pair().primary(filled(0)).secondary(filled(255)).left).toEqual([filled(0)])
  })
})

describe('other frames', () => {
  it('ARP and neighbour discovery leave at once, and the secondary’s never do', () => {
    const solicitation = ipv6(58, [135, 0, 0, 0, 0, 0, 0, 0])
    const one = pair().secondary(arp()).primary(arp()).primary(solicitation)
    expect([one.left, one.comparer.counts.uncompared]).toEqual([[arp(), solicitation], 2])
  })

  it('IPv6 is compared as IPv4 is, which colo-compare lets pass', () => {
    const body = udpBody({ text: 'six' })
    expect(pair().primary(ipv6(17, body)).left).toEqual([])
    expect(pair().primary(ipv6(17, body)).secondary(ipv6(17, body, 63)).left).toEqual([ipv6(17, body)])
    expect(pair().primary(ipv6(17, body)).secondary(ipv6(17, body.with(9, 0))).diverged).toBe('differs')
    const stream = tcpBody({ seq: 5, data: 'stream' })
    const behindOptions = ipv6(0, [6, 0, 1, 4, 0, 0, 0, 0, ...stream])
    expect(pair().primary(ipv6(6, stream)).secondary(behindOptions).left).toEqual([ipv6(6, stream)])
  })

  it('frames of two VLANs are two conversations', () => {
    const frame = udp({ text: 'x' })
    expect(pair().primary(tagged(1, frame)).secondary(tagged(2, frame)).left).toEqual([])
    expect(pair().primary(tagged(1, frame)).secondary(tagged(1, frame)).left).toEqual([tagged(1, frame)])
  })

  it('a protocol that nobody here knows is compared byte by byte', () => {
    const unknown = ethernet(0x88b5, [1, 2, 3])
    expect(pair().primary(unknown).secondary(unknown).left).toEqual([unknown])
    expect(pair().primary(unknown).secondary(ethernet(0x88b5, [1, 2, 4])).diverged).toBe('differs')
  })

  it('a fragment meets the fragment of the same place, whatever the number of its packet', () => {
    const part = (fragment: number, ident: number, byte: number): Uint8Array => ipv4({ protocol: 17, fragment, ident }, new Array<number>(16).fill(byte))
    const one = pair().primary(part(0x2000, 1, 7)).primary(part(2, 1, 8)).secondary(part(2, 9, 8)).secondary(part(0x2000, 9, 7))
    expect(one.left).toEqual([part(2, 1, 8), part(0x2000, 1, 7)])
    expect(pair().primary(part(2, 1, 8)).secondary(part(2, 1, 9)).diverged).toBe('differs')
  })

  it('a header that lies about its length is compared as it stands', () => {
    const liar = udp({ text: 'x' }).with(17, 200)
    expect(pair().primary(liar).secondary(liar).left).toEqual([liar])
    expect(pair().primary(liar).secondary(liar.with(19, 9)).diverged).toBe('differs')
  })

  it('packets whose flow is known are compared as they stand, and in their order', () => {
    const { comparer } = pair()
    const of = (flow: string, byte: number) => ({ ...packet(Uint8Array.of(byte)), flow })
    comparer.primary(of('a', 1), 0)
    expect(comparer.secondary(of('b', 1), 0).release).toEqual([])
    expect(comparer.secondary(of('a', 1), 0).release).toEqual([of('a', 1)])
    comparer.secondary(of('c', 2), 0)
    comparer.secondary(of('c', 1), 0)
    expect(comparer.primary(of('c', 1), 0).diverged).toBe('differs')
  })

  it('two cards are two conversations', () => {
    const { comparer } = pair()
    comparer.primary(packet(udp({ text: 'x' }), 'net0'), 0)
    expect(comparer.secondary(packet(udp({ text: 'x' }), 'net1'), 0).release).toEqual([])
  })
})
