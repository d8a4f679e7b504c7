import { go, LinkError, type Role, type Table } from '@xen-replication/plugin-api'
import { describe, expect, it } from 'vitest'
import { runRole, type Peer, type RolePorts } from '../../src/replicate/run-role.ts'
import { Wishes } from '../../src/replicate/wishes.ts'

const never = new AbortController().signal
const clock = { now: () => 0, sleep: () => new Promise<void>(() => undefined) }

/** A peer that says words and can be lost. */
function peerOf() {
  const gone = new AbortController()
  const words: string[] = []
  let wake: () => void = () => undefined
  const peer: Peer = {
    signal: gone.signal,
    heard: async () => {
      while (words.length === 0) await new Promise<void>((resolve) => (wake = resolve))
      return words[0] as string
    },
    take: () => void words.shift(),
    cut: (error) => gone.abort(error),
  }
  return { peer, lose: (error: Error) => gone.abort(error), say: (word: string) => (words.push(word), wake()), words }
}

function portsOf(table: Table<string, string, string>, own: Partial<RolePorts> = {}, effects: Role['effects'] = () => ({ wait: () => new Promise(() => undefined) })): RolePorts {
  const role: Role = { table, start: 'start', begin: 'begin', lost: 'peer-lost', effects }
  return { role, side: 'primary', options: {}, clock, emit: () => undefined, peer: peerOf().peer, wishes: new Wishes(), signal: never, lastEpoch: () => undefined, diverged: () => new Promise(() => undefined), shared: () => Promise.resolve(undefined), ...own }
}

const waits: Table<string, string, string> = { start: { begin: go('waiting', 'wait') }, waiting: { word: go('heard'), 'peer-lost': go('alone'), stop: go('stopped') }, heard: {}, alone: {}, stopped: {} }

describe('what a strategy waits for', () => {
  it('is ended by a word of the peer that its table answers', async () => {
    const { peer, say, words } = peerOf()
    setTimeout(() => say('word'))
    expect(await runRole(portsOf(waits, { peer }))).toMatchObject({ end: 'heard', why: undefined })
    expect(words).toEqual([])
  })

  it('is ended by a word that is not allowed as by a peer that is lost, and the peer is let go', async () => {
    const { peer, say } = peerOf()
    setTimeout(() => say('nonsense'))
    expect(await runRole(portsOf(waits, { peer }))).toMatchObject({ end: 'alone', why: { code: 'REPL_UNEXPECTED_EVENT' } })
    expect(peer.signal.aborted).toBe(true)
  })

  it('is ended at once when the peer is lost', async () => {
    const { peer, lose } = peerOf()
    const error = new LinkError('LINK_TIMEOUT', 'silent')
    setTimeout(() => lose(error))
    expect(await runRole(portsOf(waits, { peer }))).toMatchObject({ end: 'alone', why: error })
  })
})

describe('an effect that takes long', () => {
  const copies: Table<string, string, string> = {
    start: { begin: go('copying', 'precopy') },
    copying: { left: go('deserted'), note: go('copying', 'precopy'), stop: go('stopped'), failed: go('broken'), 'peer-lost': go('alone') },
    deserted: {}, stopped: {}, broken: {}, alone: {},
  }
  const copying = (signals: { aborted: boolean }[] = []): RolePorts['shared'] => (_effect, { signal }) => (signals.push(signal), new Promise(() => undefined))

  it('is ended by a word or a wish that leads to an end, and told that it is of no use any more', async () => {
    const signals: { aborted: boolean }[] = []
    const { peer, say } = peerOf()
    setTimeout(() => say('left'))
    expect(await runRole(portsOf(copies, { peer, shared: copying(signals) }))).toMatchObject({ end: 'deserted' })
    const wishes = new Wishes()
    setTimeout(() => wishes.ask('stop'))
    expect(await runRole(portsOf(copies, { wishes, shared: copying(signals) }))).toMatchObject({ end: 'stopped', granted: ['stop'] })
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
  })

  it('is not ended by another word, which stays until it is due', async () => {
    const { peer, say, lose, words } = peerOf()
    say('note')
    setTimeout(() => lose(new LinkError('LINK_LOST', 'gone')), 20)
    expect(await runRole(portsOf(copies, { peer, shared: copying() }))).toMatchObject({ end: 'alone' })
    expect(words).toEqual(['note'])
  })

  it('that fails is an event where the table has an answer to it, and an error where it has none', async () => {
    const broken = new Error('disk full')
    expect(await runRole(portsOf(copies, { shared: () => Promise.reject(broken) }))).toMatchObject({ end: 'broken', why: broken })
    const plain: Table<string, string, string> = { start: { begin: go('copying', 'precopy') }, copying: { done: go('copying'), 'peer-lost': go('copying') } }
    await expect(runRole(portsOf(plain, { shared: () => Promise.reject(broken) }))).rejects.toBe(broken)
  })

  it('that fails because the peer is gone is the loss of the peer, whatever it says itself', async () => {
    const { peer, lose } = peerOf()
    const lost = new LinkError('LINK_LOST', 'reset')
    const shared = (): Promise<undefined> => (lose(lost), Promise.reject(new Error('RESTORE_READ')))
    expect(await runRole(portsOf(copies, { peer, shared }))).toMatchObject({ end: 'alone', why: lost })
  })

  it('that times out lets go of a peer that still lives, so that it finds out', async () => {
    const { peer } = peerOf()
    expect(await runRole(portsOf(copies, { peer, shared: () => Promise.reject(new LinkError('LINK_TIMEOUT', 'stalled')) }))).toMatchObject({ end: 'alone' })
    expect(peer.signal.aborted).toBe(true)
  })
})

describe('an effect that nobody knows', () => {
  it('is told as a fault of the strategy', async () => {
    const table: Table<string, string, string> = { start: { begin: go('lost', 'unheard-of') }, lost: { 'peer-lost': go('lost') } }
    await expect(runRole(portsOf(table))).rejects.toMatchObject({ code: 'REPL_UNKNOWN_EFFECT' })
  })
})
