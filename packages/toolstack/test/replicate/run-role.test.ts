import { defineRole, go, LinkError } from '@xen-replication/plugin-api'
import { runRole, Wishes, type Peer } from '@xen-replication/toolstack'
import { describe, expect, it } from 'vitest'

/** Works until the link is lost, then waits for the operator's word. */
const role = defineRole({
  table: {
    start: { begin: go('working', 'expect') },
    working: { 'peer-lost': go('standing', 'await-word') },
    standing: { failover: go('alone'), again: go('waiting') },
    alone: {},
    waiting: {},
  },
  start: 'start',
  begin: 'begin',
  lost: 'peer-lost',
  effects: (ports) => ({ 'await-word': () => Promise.resolve(ports.request() ?? 'again') }),
})

async function endAfter(ask: (wishes: Wishes, when: 'before the loss' | 'after it') => void): Promise<string> {
  const wishes = new Wishes()
  const gone = new AbortController()
  const peer: Peer = { signal: gone.signal, cut: () => undefined }
  const shared = (): Promise<string | undefined> => {
    ask(wishes, 'before the loss')
    gone.abort(new LinkError('LINK_LOST', 'cut'))
    return Promise.reject(gone.signal.reason as Error)
  }
  const emit = (kind: string, data: unknown): void => {
    if (kind === 'strategy.move' && (data as { to: string }).to === 'standing') ask(wishes, 'after it')
  }
  const clock = { now: () => 0, sleep: () => new Promise<void>(() => undefined) }
  const { end } = await runRole({ role, side: 'secondary', options: {}, clock, emit, peer, wishes, signal: new AbortController().signal, lastEpoch: () => undefined, shared })
  return end
}

describe('an operator who asks for a failover', () => {
  it('while the pair still works has not said that the peer is gone, and is not taken to mean that once it is lost', async () => {
    expect(await endAfter((wishes, when) => when === 'before the loss' && wishes.ask('failover'))).toBe('waiting')
  })

  it('after the peer is lost is obeyed', async () => {
    expect(await endAfter((wishes, when) => when === 'after it' && wishes.ask('failover'))).toBe('alone')
  })
})
