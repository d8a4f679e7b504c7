import { describe, expect, it } from 'vitest'
import { ANSWER, answers, opened, scriptedCompare, WANTED, wants, word } from './scripted-compare.ts'

const never = new AbortController().signal
const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex')
const HELLO = hex('COLO_USERSPACE_PROXY_INIT')
const DONE = hex('COLO_CHECKPOINT')

describe('the dialogue with colo-compare', () => {
  it('is what libxl and QEMU say, byte for byte', async () => {
    const peer = await scriptedCompare(answers)
    const comparer = await opened(peer.path)
    expect(peer.heard()).toBe(`00000019${HELLO}`)
    await comparer.checkpoint()
    expect(peer.heard().slice(58)).toBe(`0000000f${DONE}00000019${HELLO}`)
  })

  it('has an empty word more for a colo-compare with vnet_hdr_support', async () => {
    const peer = await scriptedCompare(answers)
    await opened(peer.path, { vnet: 'with' })
    expect(peer.heard()).toBe(`0000001900000000${HELLO}`)
  })

  it('tells when a checkpoint is wanted, until there was one', async () => {
    const peer = await scriptedCompare(answers)
    const comparer = await opened(peer.path)
    expect(await wants(comparer)).toBe(false)
    peer.say(WANTED)
    expect(await comparer.diverged(never)).toBe('differs')
    expect(await wants(comparer)).toBe(true)
    await comparer.checkpoint()
    expect(await wants(comparer)).toBe(false)
  })

  it('takes words however they are cut', async () => {
    const peer = await scriptedCompare(answers)
    const comparer = await opened(peer.path)
    for (const byte of WANTED) peer.say(Uint8Array.of(byte))
    expect(await comparer.diverged(never)).toBe('differs')
  })

  it('what is wanted before colo-compare knows of a checkpoint is what that one gives; what it wants in the same breath behind it counts', async () => {
    let behind: readonly Uint8Array[] = []
    const peer = await scriptedCompare((heard) => (heard.includes('COLO_CHECKPOINT') ? [Buffer.concat([WANTED, WANTED, ANSWER, ...behind])] : answers(heard)))
    const comparer = await opened(peer.path)
    await comparer.checkpoint()
    expect(await wants(comparer)).toBe(false)
    behind = [WANTED]
    await comparer.checkpoint()
    expect(await wants(comparer)).toBe(true)
  })

  it('a checkpoint that was wanted before the first answer is not forgotten', async () => {
    const peer = await scriptedCompare(() => [WANTED, ANSWER])
    expect(await wants(await opened(peer.path))).toBe(true)
  })

  it('whoever waits may stop, and others go on waiting', async () => {
    const peer = await scriptedCompare(answers)
    const comparer = await opened(peer.path)
    const stop = new AbortController()
    const [one, other] = [comparer.diverged(stop.signal), comparer.diverged(never)]
    stop.abort(new Error('no more'))
    await expect(one).rejects.toThrow('no more')
    await expect(comparer.diverged(stop.signal)).rejects.toThrow('no more')
    peer.say(WANTED)
    expect(await other).toBe('differs')
  })
})

describe('a colo-compare that does not go along', () => {
  it('hangs up at once', async () => {
    const peer = await scriptedCompare(() => {
      peer.hangUp()
      return []
    })
    await expect(opened(peer.path)).rejects.toMatchObject({ code: 'PROXY_LOST' })
  })

  it('does not answer', async () => {
    const silent = await scriptedCompare(() => [])
    await expect(opened(silent.path, { answerMs: 50 })).rejects.toMatchObject({ code: 'PROXY_TIMEOUT' })
    const peer = await scriptedCompare((heard) => (heard.includes('COLO_CHECKPOINT') ? [] : answers(heard)))
    const comparer = await opened(peer.path, { answerMs: 1000 })
    await expect(comparer.checkpoint()).rejects.toMatchObject({ code: 'PROXY_TIMEOUT' })
    await expect(comparer.diverged(never)).rejects.toMatchObject({ code: 'PROXY_TIMEOUT' })
  })

  it('goes away, which everybody is told who waits, and who asks later', async () => {
    const peer = await scriptedCompare(answers)
    const comparer = await opened(peer.path)
    const waiting = expect(comparer.diverged(never)).rejects.toMatchObject({ code: 'PROXY_LOST' })
    peer.hangUp()
    await waiting
    await expect(comparer.checkpoint()).rejects.toMatchObject({ code: 'PROXY_LOST' })
  })

  it.each([
    ['a word that nobody knows', word('DO_CHECKPOINT!')],
    ['an answer that nobody asked for', ANSWER],
    ['a word without a letter', Buffer.alloc(4)],
    ['a word as long as memory', Buffer.from('ffffffff', 'hex')],
  ])('says %s, which ends it', async (_, bytes) => {
    const peer = await scriptedCompare(answers)
    const comparer = await opened(peer.path)
    const waiting = expect(comparer.diverged(never)).rejects.toMatchObject({ code: 'PROXY_MALFORMED' })
    peer.say(bytes)
    await waiting
  })

  it('is left: who waits is told, and so is who comes then', async () => {
    const peer = await scriptedCompare(answers)
    const comparer = await opened(peer.path)
    const waiting = expect(comparer.diverged(never)).rejects.toMatchObject({ code: 'PROXY_CLOSED' })
    await comparer.close()
    await comparer.close()
    await waiting
    await expect(comparer.checkpoint()).rejects.toMatchObject({ code: 'PROXY_CLOSED' })
  })
})
