import { isXrError, XrError } from '@xen-replication/errors'
import { describe, expect, it } from 'vitest'
import { memoryLink, type Faults } from './memory-link.ts'
import { migrate, noise, type Migration } from './pair.ts'

const never = { resumeWaitMs: 0 }
const codeOf = (error: unknown): string => (isXrError(error) ? error.code : String(error))

/** Guests that may run now or that somebody is free to let run. */
const runnable = ({ source, target }: Migration): readonly string[] => [source, target].filter(({ state }) => state === 'running').map(({ log }) => log.join(' '))

describe('a migration', () => {
  it('moves the guest', async () => {
    const { source, target, sent, got, sendError, receiveError } = await migrate({})
    expect([sendError, receiveError]).toEqual([undefined, undefined])
    expect(sent).toEqual({ end: 'moved', why: undefined, trouble: undefined })
    expect(got).toEqual({ end: 'running', why: undefined, trouble: undefined })
    expect([source.state, target.state]).toEqual(['destroyed', 'running'])
    expect(Buffer.compare(target.received, source.memory)).toBe(0)
  })

  it('moves an empty stream too', async () => {
    const { sent, got } = await migrate({ memory: new Uint8Array(0) })
    expect([sent?.end, got?.end]).toEqual(['moved', 'running'])
  })
})

/** What must hold however a migration ends. */
function expectSafe(run: Migration): void {
  const { source, target, sent, got } = run
  expect(runnable(run).length, `${source.state} ${target.state} ${sent?.end} ${got?.end}`).toBeLessThanOrEqual(1)
  if (sent === undefined) expect(source.state).toBe('running')
  else if (sent.end === 'kept') expect([source.state, target.state]).not.toContain('suspended')
  if (sent?.end === 'kept') expect(source.state).toBe('running')
  if (sent?.end === 'moved') expect([source.state, target.state]).toEqual(['destroyed', 'running'])
  if (sent?.end === 'undecided') {
    expect(source.state).toBe('suspended')
    expect(codeOf(sent.why)).toBe('SESSION_UNDECIDED')
    expect((sent.why as XrError).hint).toContain('look on the other host')
  }
  if (got !== undefined) expect(target.state).toBe(got.end === 'running' ? 'running' : 'destroyed')
  else expect(target.state).toBe('none')
  if (runnable(run).length === 0) expect(sent?.end).toBe('undecided')
}

async function cutEverywhere(faults: (n: number) => readonly [Faults, Faults], most: number): Promise<ReadonlyMap<string, number>> {
  const ends = new Map<string, number>()
  for (let n = 0; n <= most; n += 1) {
    const run = await migrate({ link: memoryLink(...faults(n)), options: () => ({ limits: never }) })
    expectSafe(run)
    const name = `${run.sent?.end ?? 'no session'} ${run.got?.end ?? 'no session'}`
    ends.set(name, (ends.get(name) ?? 0) + 1)
  }
  return ends
}

describe('a link that breaks for good', () => {
  it.each(['error', 'silence'] as const)('before frame n of the sender, with %s, never leaves two guests that run', async (as) => {
    const ends = await cutEverywhere((n) => [{ cutAtWrite: n, as }, { as }], 12)
    expect([...ends.keys()]).toEqual(expect.arrayContaining(['no session no session', 'kept dropped', 'moved running']))
  })

  it.each(['error', 'silence'] as const)('before frame n of the receiver, with %s, never leaves two guests that run', async (as) => {
    const ends = await cutEverywhere((n) => [{ as }, { cutAtWrite: n, as }], 16)
    expect([...ends.keys()]).toEqual(expect.arrayContaining([as === 'error' ? 'no session no session' : 'no session dropped', 'kept dropped', 'undecided running', 'moved running']))
  })

  it('and takes with it what was on its way, never leaves two guests that run', async () => {
    const loses = 'what was not read'
    const there = await cutEverywhere((n) => [{ cutAtWrite: n, loses }, { loses }], 12)
    const back = await cutEverywhere((n) => [{ loses }, { cutAtWrite: n, loses }], 16)
    expect([...there.keys(), ...back.keys()]).toContain('undecided dropped')
  })

  it('within a frame never leaves two guests that run', async () => {
    const whole = memoryLink()
    await migrate({ link: whole, memory: noise(3000) })
    const { senderBytes, receiverBytes } = whole.counts()
    for (let n = 0; n < senderBytes; n += n < 400 || n > senderBytes - 400 ? 7 : 501) expectSafe(await migrate({ memory: noise(3000), link: memoryLink({ cutAtByte: n }), options: () => ({ limits: never }) }))
    for (let n = 0; n < receiverBytes; n += 7) expectSafe(await migrate({ memory: noise(3000), link: memoryLink({}, { cutAtByte: n }), options: () => ({ limits: never }) }))
  })
})
