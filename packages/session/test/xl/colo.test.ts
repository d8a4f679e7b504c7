import { CHECKPOINT_STATE, encodeCheckpointState, encodeDirtyPfnRecord, encodeRecord, XL2, type DirtyPfnOptions } from '@xen-replication/format'
import { XlColoReceiver, XlColoSender } from '@xen-replication/session'
import { describe, expect, it } from 'vitest'
import { memoryLink, type MutableLink } from '../memory-link.ts'
import { VirtualClock } from '../virtual-clock.ts'

const never = new AbortController().signal

interface Both {
  readonly link: MutableLink
  readonly sender: XlColoSender
  readonly receiver: XlColoReceiver
}

async function both(options: { readonly sender?: DirtyPfnOptions; readonly receiver?: DirtyPfnOptions } = {}): Promise<Both> {
  const link = memoryLink()
  const sender = new XlColoSender(link.sender, new VirtualClock(), options.sender, { answerMs: 5000 })
  const receiver = new XlColoReceiver(link.receiver, options.receiver)
  await Promise.all([receiver.begin(), sender.begin(never)])
  return { link, sender, receiver }
}

/** A sender, and whoever plays the other side byte by byte. */
async function scripted(options: DirtyPfnOptions = {}): Promise<{ readonly sender: XlColoSender; readonly write: (...parts: readonly Uint8Array[]) => Promise<void>; readonly end: () => Promise<void> }> {
  const { link, sender } = await both({ sender: options })
  return { sender, write: (...parts) => link.receiver.write(parts), end: () => link.receiver.end() }
}

const state = (id: number): Uint8Array => encodeRecord(XL2.CHECKPOINT_STATE, Uint8Array.of(id, 0, 0, 0))

describe("libxl's back channel", () => {
  it('brings the states in their order, and the dirty pages behind SVM_SUSPENDED', async () => {
    const { sender, receiver } = await both()
    await receiver.stored()
    await receiver.say('svm-resumed')
    expect([await sender.next(), await sender.next()]).toEqual(['stored', 'svm-resumed'])
    for (const pfns of [[], [1, 2, 2 ** 40], [7]]) {
      await receiver.say('svm-suspended')
      await receiver.dirtyPfns(pfns)
      expect(await sender.next()).toBe('svm-suspended')
      expect(await sender.dirtyPfns()).toEqual(pfns)
    }
    expect(sender.signal.aborted).toBe(false)
  })

  it('is written as specified: 16 bytes for a state, no header before the first', async () => {
    const link = memoryLink()
    const receiver = new XlColoReceiver(link.receiver)
    await receiver.stored()
    await receiver.say('svm-suspended')
    await receiver.dirtyPfns([5])
    await receiver.say('left')
    await receiver.packets()
    await link.receiver.end()
    const parts: Uint8Array[] = []
    for (let part = await link.sender.read(4096); part !== undefined; part = await link.sender.read(4096)) parts.push(part.slice())
    expect(Buffer.concat(parts).toString('hex')).toBe('05000000040000000200000000000000' + '05000000040000000100000000000000' + '0f00000008000000' + '0500000000000000')
  })

  it('takes lists from a 64-bit secondary of Xen’s own, with 8 bytes too many, where it is told to; and is out of step where it is not', async () => {
    const pfns = [3, 4]
    const told = await both({ sender: { quirk: 'c64-surplus' }, receiver: { quirk: 'c64-surplus' } })
    await told.receiver.say('svm-suspended')
    await told.receiver.dirtyPfns(pfns)
    await told.receiver.stored()
    expect([await told.sender.next(), await told.sender.dirtyPfns(), await told.sender.next()]).toEqual(['svm-suspended', pfns, 'stored'])

    const untold = await both({ receiver: { quirk: 'c64-surplus' } })
    await untold.receiver.dirtyPfns(pfns)
    await untold.receiver.stored()
    expect(await untold.sender.dirtyPfns()).toEqual([0, 3])
    await expect(untold.sender.next()).rejects.toMatchObject({ code: 'FMT_BACK_CHANNEL', hint: expect.stringContaining('c64-surplus') as string })
    expect(untold.sender.signal.aborted).toBe(true)
  })
})

describe('a secondary that does not keep to it', () => {
  it.each([
    ['a state that the specification does not have', state(9)],
    ['NEW, which only a primary says', encodeCheckpointState('NEW')],
    ['dirty pages where a state is due', encodeDirtyPfnRecord([1])],
    ['a record that has no place there', encodeRecord(XL2.END, new Uint8Array(0))],
    ['an empty state', encodeRecord(XL2.CHECKPOINT_STATE, new Uint8Array(0))],
  ])('%s is refused, and the peer is let go', async (_what, bytes) => {
    const { sender, write } = await scripted()
    await write(bytes)
    await expect(sender.next()).rejects.toMatchObject({ code: expect.stringMatching(/^FMT_/) as string })
    expect(sender.signal.aborted).toBe(true)
  })

  it('a state where the dirty pages are due is refused', async () => {
    const { sender, write } = await scripted()
    await write(state(CHECKPOINT_STATE.SVM_SUSPENDED), state(CHECKPOINT_STATE.SVM_READY))
    expect(await sender.next()).toBe('svm-suspended')
    await expect(sender.dirtyPfns()).rejects.toMatchObject({ code: 'FMT_BACK_CHANNEL', offset: 16 })
  })

  it('more than it is asked is refused', async () => {
    const { sender, write } = await scripted()
    await write(...Array.from({ length: 20 }, () => state(CHECKPOINT_STATE.SVM_READY)))
    await expect.poll(() => sender.signal.aborted).toBe(true)
    expect(sender.signal.reason).toMatchObject({ code: 'FMT_BACK_CHANNEL' })
  })

  it('silence is waited for only so long', async () => {
    const { sender } = await scripted()
    await expect(sender.next()).rejects.toMatchObject({ code: 'LINK_TIMEOUT' })
    await expect(sender.dirtyPfns()).rejects.toMatchObject({ code: 'LINK_TIMEOUT' })
  })

  it.each([0, 3, 8, 12, 15])('an end after %i bytes of a list is told', async (bytes) => {
    const { sender, write, end } = await scripted()
    await write(encodeDirtyPfnRecord([1]).subarray(0, bytes))
    await end()
    await expect(sender.dirtyPfns()).rejects.toMatchObject({ code: bytes === 0 ? 'LINK_LOST' : 'FMT_TRUNCATED' })
    expect(sender.signal.aborted).toBe(true)
  })
})

describe('the end', () => {
  it('after `leave` is that of the peer, whatever it still says', async () => {
    const { sender, write, end } = await scripted()
    await sender.say('leave')
    await write(state(CHECKPOINT_STATE.SVM_READY), state(77))
    const last = sender.next()
    await end()
    expect(await last).toBe('left')
    expect(sender.signal.aborted).toBe(false)
  })

  it('after `yours` is that of a peer that has taken the guest', async () => {
    const { sender, end } = await scripted()
    await sender.say('hand-over')
    await sender.say('yours')
    const last = sender.next()
    await end()
    expect(await last).toBe('taken')
  })

  it('after `yours` is a lost link where the peer never ends', async () => {
    const { sender } = await scripted()
    await sender.say('yours')
    await expect(sender.next()).rejects.toMatchObject({ code: 'LINK_TIMEOUT' })
  })
})
