import { describe, expect, it } from 'vitest'
import { Chance } from '../../src/chance.ts'
import { connect, type Connection } from '../../src/network/connection.ts'
import { Network } from '../../src/network/network.ts'
import { SimArbiter } from '../../src/network/sim-arbiter.ts'
import { SimProcess } from '../../src/time/sim-process.ts'
import { letRun, VirtualTime } from '../../src/time/virtual-time.ts'

interface Bench {
  readonly time: VirtualTime
  readonly network: Network
  readonly processes: { readonly a: SimProcess; readonly b: SimProcess }
  readonly link: Connection
}

function bench(loss = 0): Bench {
  const time = new VirtualTime()
  const network = new Network(time, new Chance(1), { latencyMs: 1, jitterMs: 2, loss, rate: 1000 })
  const processes = { a: new SimProcess('a', time), b: new SimProcess('b', time) }
  return { time, network, processes, link: connect(processes, time, network) }
}

/** All that comes until the end. */
async function all({ link }: Bench): Promise<readonly number[]> {
  const bytes: number[] = []
  for (let part = await link.b.read(3); part !== undefined; part = await link.b.read(3)) bytes.push(...part)
  return bytes
}

const run = ({ time }: Bench): Promise<void> => letRun(time, () => false)
const lost = expect.objectContaining({ code: 'LINK_LOST' }) as object

describe('a connection', () => {
  it('brings bytes in order, whatever is lost on the way, and then the end', async () => {
    const made = bench(0.3)
    const read = all(made)
    for (let i = 0; i < 40; i += 1) await made.link.a.write([Uint8Array.of(i), Uint8Array.of(i, i)])
    await made.link.a.end()
    await run(made)
    expect(await read).toEqual(Array.from({ length: 120 }, (_, i) => Math.floor(i / 3)))
  })

  it('that is blocked one way brings nothing, and goes on where it stood when it is open again', async () => {
    const made = bench()
    made.network.block('a', 'b')
    made.time.after(500, () => made.network.open('a', 'b'))
    const read = all(made).then((bytes) => [bytes.length, made.time.now > 500])
    await made.link.a.write([Uint8Array.of(1, 2)])
    await made.link.a.end()
    await run(made)
    expect(await read).toEqual([2, true])
  })

  it('makes writers wait when nothing arrives', async () => {
    const made = bench()
    made.network.block('a', 'b')
    let written = 0
    void (async () => {
      for (;;) {
        await made.link.a.write([new Uint8Array(100_000)])
        written += 1
      }
    })()
    await run(made)
    expect(written).toBeGreaterThan(2)
    expect(written).toBeLessThan(10)
  })

  it('that is reset fails on both sides, after what had come was read', async () => {
    const made = bench()
    const read = all(made)
    await made.link.a.write([new Uint8Array(10)])
    made.time.after(100, () => made.link.cut('both', 0))
    const failed = expect(read).rejects.toEqual(lost)
    await run(made)
    await failed
    await expect(made.link.a.write([new Uint8Array(1)])).rejects.toEqual(lost)
  })

  it('that only one side knows to be gone is found out by the other when it sends', async () => {
    const made = bench()
    made.link.cut('a', 0)
    await made.link.b.write([new Uint8Array(1)])
    const failed = expect(made.link.b.read(1)).rejects.toEqual(lost)
    await run(made)
    await failed
  })

  it('to a host without power is silent for ever', async () => {
    const made = bench()
    made.link.dead('a', 0)
    let settled = false
    void Promise.resolve(made.link.b.read(1)).finally(() => (settled = true))
    await made.link.b.write([new Uint8Array(1)])
    await run(made)
    expect(settled).toBe(false)
  })

  it('torn in the middle of a write brings the first part of it', async () => {
    const made = bench()
    await made.link.a.write([new Uint8Array(10)])
    made.link.dead('a', 0.5)
    expect(await made.link.b.read(100)).toHaveLength(5)
    await run(made)
  })

  it('closed with something unread is a reset for the other side, otherwise its end', async () => {
    const made = bench()
    await made.link.b.close()
    expect(await Promise.all([made.link.a.read(1), run(made)])).toEqual([undefined, undefined])
    await expect(Promise.resolve().then(() => made.link.b.read(1))).rejects.toMatchObject({ code: 'LINK_CLOSED' })
  })
})

describe('the arbiter', () => {
  const claim = (side: 'primary' | 'secondary'): { readonly guest: string; readonly session: string; readonly side: 'primary' | 'secondary' } => ({ guest: 'g', session: 's', side })
  const never = new AbortController().signal

  it('grants the first claim, for ever', async () => {
    const { time, network, processes } = bench()
    const arbiter = new SimArbiter(time, network)
    const [a, b] = [arbiter.client(processes.a, 'a'), arbiter.client(processes.b, 'b')]
    const answers = [a.claim(claim('primary'), never), b.claim(claim('secondary'), never)]
    await letRun(time, () => false)
    const given = (await Promise.all(answers)).map(({ answer }) => answer).sort()
    expect(given).toEqual(['denied', 'granted'])
    const again = a.claim(claim('primary'), never)
    await letRun(time, () => false)
    expect((await again).answer).toBe(arbiter.winner === 'primary' ? 'granted' : 'denied')
  })

  it('whose answer is lost has decided all the same', async () => {
    const { time, network, processes } = bench()
    const arbiter = new SimArbiter(time, network)
    network.block('arbiter', 'a')
    const answer = arbiter.client(processes.a, 'a').claim(claim('primary'), never)
    await letRun(time, () => false)
    expect((await answer).answer).toBe('unknown')
    expect(arbiter.winner).toBe('primary')
  })

  it('that is down is unknown to all and decides nothing', async () => {
    const { time, network, processes } = bench()
    const arbiter = new SimArbiter(time, network)
    arbiter.state = 'down'
    const client = arbiter.client(processes.a, 'a')
    const [answer, holds] = [client.claim(claim('primary'), never), client.holds({ claim: claim('primary'), token: 1n }, never)]
    await letRun(time, () => false)
    expect([(await answer).answer, await holds, arbiter.winner]).toEqual(['unknown', false, undefined])
  })
})
