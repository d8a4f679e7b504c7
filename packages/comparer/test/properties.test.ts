import { packetComparer, type ComparerOptions } from '@xen-replication/comparer'
import type { Comparison, GuestPacket } from '@xen-replication/hypervisor'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ipv6, packet, ping, tcp, tcpBody, udp } from './frames.ts'

/** Sends all, by turns as `order` says. @returns what left, and why it ended */
function run(mine: readonly GuestPacket[], theirs: readonly GuestPacket[], order: readonly boolean[], options: ComparerOptions = {}): { readonly left: GuestPacket[]; readonly last: Comparison; readonly waiting: number } {
  const comparer = packetComparer(options)
  const queues = { primary: [...mine], secondary: [...theirs] }
  const left: GuestPacket[] = []
  let last: Comparison = { release: [], diverged: undefined }
  for (let n = 0; queues.primary.length + queues.secondary.length > 0; n += 1) {
    const wanted = order[n % order.length] === true ? 'primary' : 'secondary'
    const side = queues[wanted].length > 0 ? wanted : wanted === 'primary' ? 'secondary' : 'primary'
    last = comparer[side](queues[side].shift() as GuestPacket, n)
    left.push(...last.release)
  }
  return { left, last, waiting: comparer.waiting }
}

const orders = fc.array(fc.boolean(), { minLength: 1, maxLength: 40 })
const firstNumbers = fc.oneof(fc.nat(0xffff_ffff), fc.integer({ min: 0xffff_ff00, max: 0xffff_ffff }))
const datas = fc.uint8Array({ minLength: 1, maxLength: 200 })
/** Where a stream is cut, and which of the pieces are sent how often, in an order that is not theirs. */
const cuts = fc.record({ at: fc.array(fc.nat(200), { maxLength: 8 }), again: fc.array(fc.nat(8), { maxLength: 4 }), swap: fc.array(fc.nat(8), { maxLength: 3 }) })
type Cuts = typeof cuts extends fc.Arbitrary<infer C> ? C : never

/** A whole connection of one side: SYN, the bytes in pieces, FIN. */
function segments(first: number, data: Uint8Array, { at, again, swap }: Cuts): GuestPacket[] {
  const places = [...new Set([0, ...at.map((place) => place % data.length), data.length])].sort((a, b) => a - b)
  const seq = (place: number): number => (first + 1 + place) >>> 0
  const parts = places.slice(0, -1).map((place, n) => tcp({ seq: seq(place), ack: 1, data: [...data.subarray(place, places[n + 1])], ident: n }))
  for (const n of swap) if (n + 1 < parts.length) parts.splice(n, 2, parts[n + 1] as Uint8Array, parts[n] as Uint8Array)
  for (const n of again) if (n < parts.length) parts.splice((n * 7) % (parts.length + 1), 0, parts[n] as Uint8Array)
  return [tcp({ seq: first, ack: 1, signs: 'S' }), ...parts, tcp({ seq: seq(data.length), ack: 1, signs: 'F' })].map((frame) => packet(frame))
}

describe('a stream', () => {
  it('that is the same leaves, all of it, in its order, however both sides cut it and whatever they repeat', () =>
    fc.assert(
      fc.property(firstNumbers, datas, cuts, cuts, orders, (first, data, here, there, order) => {
        const mine = segments(first, data, here)
        const { left, last } = run(mine, segments(first, data, there), order)
        expect(last.diverged).toBeUndefined()
        expect(left).toEqual(mine)
      }),
      { numRuns: 500 },
    ))

  it('that differs in one byte stops before it, and asks for a checkpoint', () =>
    fc.assert(
      fc.property(firstNumbers, datas, fc.nat(199), cuts, cuts, orders, (first, data, place, here, there, order) => {
        const wrong = place % data.length
        const other = data.map((byte, n) => (n === wrong ? byte ^ 0x40 : byte))
        const { left, last, waiting } = run(segments(first, data, here), segments(first, other, there), order)
        expect(last.diverged).toBe('differs')
        expect(waiting).toBeGreaterThan(0)
        for (const { bytes } of left) expect(holds(bytes, (first + 1 + wrong) >>> 0)).toBe(false)
      }),
      { numRuns: 500 },
    ))
})

/** Whether a segment, an IPv4 header of 20 bytes before it, carries that sequence number. */
const holds = (frame: Uint8Array, seq: number): boolean => {
  const [from, to] = carried(frame)
  return ((seq - from) | 0) >= 0 && ((to - seq) | 0) > 0
}
const carried = (frame: Uint8Array): readonly [from: number, to: number] => {
  const from = new DataView(frame.buffer).getUint32(38)
  return [from, (from + frame.length - 54) >>> 0]
}

describe('whatever two sides send', () => {
  /** Numbers are few, so that sides agree now and then. */
  const wholes = fc.constantFrom('a', 'b', 'c').chain((text) => fc.constantFrom(udp({ text }), udp({ text, port: 9 }), ping(text)))
  const steps = <T>(of: fc.Arbitrary<T>) => fc.array(fc.oneof({ weight: 20, arbitrary: fc.record({ side: fc.constantFrom('primary', 'secondary'), what: of }) }, { weight: 1, arbitrary: fc.constant('checkpoint' as const) }), { maxLength: 60 })

  it('no packet leaves that the secondary has not sent since the last checkpoint, unless a checkpoint covers it', () =>
    fc.assert(
      fc.property(steps(wholes), (all) => {
        const comparer = packetComparer()
        const owed = new Map<string, number>()
        const add = (bytes: Uint8Array, n: number): number => owed.set(bytes.join(), (owed.get(bytes.join()) ?? 0) + n).get(bytes.join()) as number
        for (const step of all) {
          if (step === 'checkpoint') {
            comparer.checkpoint()
            owed.clear()
          } else {
            if (step.side === 'secondary') add(step.what, 1)
            for (const { bytes } of comparer[step.side](packet(step.what), 0).release) expect(add(bytes, -1)).toBeGreaterThanOrEqual(0)
          }
        }
      }),
      { numRuns: 1000 },
    ))

  it('no byte of a stream leaves that the secondary has not sent since the last checkpoint, unless a checkpoint covers it', () => {
    const segment = fc.record({ from: fc.nat(30), length: fc.nat(8), ack: fc.nat(3), wrong: fc.nat(40) })
    return fc.assert(
      fc.property(fc.integer({ min: 0xffff_fff0, max: 0xffff_ffff }), steps(segment), (base, all) => {
        const comparer = packetComparer()
        let [covered, sent, theirs, acknowledged] = [-1, -1, new Map<number, number>(), 0]
        for (const step of all) {
          if (step === 'checkpoint') {
            comparer.checkpoint()
            ;[covered, theirs, acknowledged] = [sent, new Map<number, number>(), 3]
            continue
          }
          const { from, length, ack, wrong } = step.what
          const data = Array.from({ length }, (_, n) => (step.side === 'secondary' && from + n === wrong ? 255 : from + n))
          if (step.side === 'primary') sent = Math.max(sent, length === 0 ? -1 : from + length)
          else {
            acknowledged = Math.max(acknowledged, ack)
            data.forEach((byte, n) => theirs.set(from + n, theirs.get(from + n) === from + n ? from + n : byte))
          }
          const { release } = comparer[step.side](packet(tcp({ seq: (base + from) >>> 0, ack, data })), 0)
          for (const { bytes } of release) {
            expect(new DataView(bytes.buffer).getUint32(42)).toBeLessThanOrEqual(acknowledged)
            for (const byte of bytes.subarray(54)) expect(byte < covered || theirs.get(byte) === byte).toBe(true)
          }
        }
      }),
      { numRuns: 3000 },
    )
  })

  it('every packet of the primary leaves once, waits, or is told to be lost, and those of a flow in their order', () =>
    fc.assert(
      fc.property(steps(fc.oneof(wholes, fc.nat(3).map((n) => tcp({ seq: n, ack: 1, data: 'ab' })))), fc.nat(40), fc.constantFrom(500, 3000, 100_000), (all, ends, maxBytes) => {
        const comparer = packetComparer({ maxBytes, maxPackets: 8, maxFlows: 3 })
        const left: GuestPacket[] = []
        const sent: GuestPacket[] = []
        all.forEach((step, n) => {
          if (step === 'checkpoint') left.push(...comparer.checkpoint())
          else {
            const one = packet(step.what)
            if (step.side === 'primary') sent.push(one)
            left.push(...comparer[step.side](one, n).release)
          }
          if (n === ends) left.push(...comparer.failover())
        })
        const { lost, equal, covered, uncompared } = comparer.counts
        expect(new Set(left).size).toBe(left.length)
        expect([equal + covered + uncompared, left.length + comparer.waiting + lost]).toEqual([left.length, sent.length])
        for (const flow of new Set(sent.map(flowOf))) {
          const places = left.filter((one) => flowOf(one) === flow).map((one) => sent.indexOf(one))
          expect(places).toEqual(places.toSorted((a, b) => a - b))
        }
      }),
      { numRuns: 1000 },
    ))
})

/** Protocol and ports. */
const flowOf = ({ bytes }: GuestPacket): string => `${bytes[23]} ${bytes.slice(34, 38).join()}`

describe('frames that are none', () => {
  const real = fc.constantFrom(tcp({ seq: 1, ack: 2, data: 'x', options: [1, 1, 1, 1] }), udp({ text: 'hello' }), ping('abc'), ipv6(6, tcpBody({ seq: 1, data: 'x' })), ipv6(0, [44, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 1, 0, 0, 0, 1, 1, 2, 3]), ipv6(60, [17, 255, 0, 0]))
  const damaged = fc.tuple(real, fc.nat(80), fc.array(fc.tuple(fc.nat(79), fc.nat(255)), { maxLength: 4 })).map(([frame, length, changes]) => {
    const cut = frame.slice(0, length)
    for (const [at, byte] of changes) if (at < cut.length) cut[at] = byte
    return cut
  })
  const any = fc.oneof(damaged, fc.uint8Array({ maxLength: 70 }))

  it('do no harm, and leave when both sides have sent them', () =>
    fc.assert(
      fc.property(fc.array(any, { maxLength: 12 }), orders, (frames, order) => {
        const packets = frames.map((bytes) => packet(bytes))
        const { left, waiting } = run(packets, packets, order)
        expect(left.length + waiting).toBe(packets.length)
        for (const one of packets) {
          const alone = packetComparer()
          const first = alone.primary(one, 0)
          const second = alone.secondary({ ...one }, 0)
          expect([first, second].flatMap(({ release }) => release)).toEqual([one])
        }
      }),
      { numRuns: 2000 },
    ))

  it('that only one side sends never leave before a checkpoint', () =>
    fc.assert(
      fc.property(any, (bytes) => {
        const comparer = packetComparer()
        const { release } = comparer.primary(packet(bytes), 0)
        expect(release.length).toBe(comparer.counts.uncompared)
        expect(comparer.look(3000).diverged).toBe(release.length === 0 ? 'late' : undefined)
      }),
      { numRuns: 2000 },
    ))
})
