import { openImageSaver, precopyAsXen, type PrecopyState } from '@xen-replication/libxc-stream'
import { sinkOfBytes } from '@xen-replication/format'
import type { DomainState } from '@xen-replication/hypervisor'
import { describe, expect, it } from 'vitest'
import { codeOf, drive, saved, type Outcome } from './driver.ts'
import { entriesOf, goldPv } from './gold.ts'
import { page, smallGuest } from './guests.ts'
import { P2mGuest } from './pv/p2m-guest.ts'
import type { DirtyStep } from './scripted-guest.ts'

const passes = ({ records }: Outcome): number[][] => records.filter((r) => r.type === 1).map((r) => entriesOf(r).map(({ pfn }) => pfn))
const types = ({ records }: Outcome): number[] => records.map(({ type }) => type)
const ALL = [0, 1, 2, 3, 4, 5, 6, 7]

describe('Xen’s policy for copying a running guest', () => {
  const cases: readonly [PrecopyState, string][] = [
    [{ round: 0, sent: 0, dirty: 50 }, 'again'],
    [{ round: 0, sent: 0, dirty: 49 }, 'stop'],
    [{ round: 1, sent: 9, dirty: 0 }, 'stop'],
    [{ round: 4, sent: 9, dirty: -1 }, 'again'],
    [{ round: 5, sent: 9, dirty: -1 }, 'stop'],
    [{ round: 5, sent: 9, dirty: 1000 }, 'stop'],
  ]
  for (const [state, decision] of cases) it(`${decision}: round ${state.round}, ${state.dirty} pages to go`, () => expect(precopyAsXen(state)).toBe(decision))
  it('copies at most five times before the guest is stopped', async () => {
    const many = { pages: ALL, estimate: 1000 }
    const outcome = await saved(smallGuest({ frames: 64, dirty: [many, many, many, many, many] }), { options: { mode: 'live' } })
    expect(passes(outcome)).toHaveLength(6)
  })
})

describe('a policy of one’s own', () => {
  it('is asked twice a round, first without knowing how much was written', async () => {
    const seen: PrecopyState[] = []
    const dirty: DirtyStep[] = [{ pages: [1, 2], estimate: 3 }, { pages: [4], estimate: 1 }]
    const policy = (state: PrecopyState): 'again' | 'stop' => (seen.push(state), state.round < 2 ? 'again' : 'stop')
    const outcome = await saved(smallGuest({ dirty }), { options: { mode: 'live', policy } })
    expect(seen).toEqual([
      { round: 0, sent: 0, dirty: 8 },
      { round: 1, sent: 8, dirty: -1 },
      { round: 1, sent: 8, dirty: 3 },
      { round: 2, sent: 11, dirty: -1 },
    ])
    expect(passes(outcome)).toEqual([ALL, [1, 2], [4]])
  })
  it('may give up: nothing is lost but the image', async () => {
    for (const at of [0, 1]) {
      const guest = smallGuest()
      const { error } = await drive(guest, { options: { mode: 'live', policy: ({ round }) => (round === at ? 'abort' : 'again') } })
      expect(error).toMatchObject({ code: 'SAVE_ABORTED', message: expect.stringMatching(at === 0 ? 'round 0, with 8 pages' : 'round 1, with an unknown number of pages') as string })
      expect(guest).toMatchObject({ logDirty: 'off', openMappings: 0 })
      expect(guest.calls).not.toContain('suspend')
    }
  })
})

describe('pages that the guest wrote', () => {
  it('are sent even where the hypervisor’s estimate says that there are none', async () => {
    const dirty: DirtyStep[] = [{ pages: [6], estimate: 0 }, { pages: [] }]
    const outcome = await saved(smallGuest({ dirty }), { options: { mode: 'live', policy: ({ round, dirty: left }) => (left === 0 || round > 3 ? 'stop' : 'again') } })
    expect(passes(outcome)).toEqual([ALL, [6]])
  })
  it('end the save when their record is shorter than the guest', async () => {
    const guest = smallGuest({ frames: 64 })
    const forSave = guest.forSave()
    const short = { ...forSave, dirty: { ...forSave.dirty, take: () => Promise.resolve({ bitmap: new Uint8Array(7), estimate: 0 }) } }
    const saver = await openImageSaver(short, { mode: 'live' })
    await expect(saver.begin(sinkOfBytes())).rejects.toMatchObject({ code: 'SAVE_DIRTY_LOG' })
    await saver.close()
  })
  it('are asked for once more with what the hypervisor itself writes, after the guest has stopped', async () => {
    const guest = smallGuest()
    await saved(guest, { options: { mode: 'live' } })
    expect(guest.lastLooks).toEqual(['last'])
    expect(guest.calls.indexOf('suspend')).toBeLessThan(guest.calls.lastIndexOf('take'))
  })
})

describe('tracking that somebody else has on', () => {
  it('is turned off and asked for again', async () => {
    const guest = smallGuest()
    guest.failAt = 3
    await saved(guest, { options: { mode: 'live' } })
    expect(guest.calls.slice(0, 5)).toEqual(['frames', 'policy', 'enable', 'disable', 'enable'])
  })
})

describe('a guest that was asked to suspend', () => {
  const states: readonly [string, Partial<DomainState>, string][] = [
    ['crashed', { shutdown: 'crash' }, 'has shut down: crash'],
    ['runs on', {}, 'runs'],
    ['is being destroyed', { dying: true, shutdown: 'suspend' }, 'is being destroyed'],
  ]
  for (const [what, state, message] of states) {
    it(`and ${what} is not saved`, async () => {
      const guest = smallGuest()
      guest.suspended = { dying: false, paused: false, shutdown: undefined, ...state }
      const { error } = await drive(guest, { options: { mode: 'stopped' } })
      expect(error).toMatchObject({ code: 'SAVE_NOT_SUSPENDED', message: expect.stringContaining(message) as string })
    })
  }
  it('and is woken by somebody else before its registers are read is not saved', async () => {
    const guest = smallGuest()
    const saver = await openImageSaver(guest.forSave(), { mode: 'stopped' })
    await saver.begin(sinkOfBytes())
    await saver.stop()
    guest.resume()
    await expect(saver.finish(sinkOfBytes())).rejects.toMatchObject({ code: 'SAVE_NOT_SUSPENDED' })
    await saver.close()
  })
})

describe('pages that a secondary wrote', () => {
  it('are sent with the next checkpoint', async () => {
    const outcome = await saved(smallGuest({ dirty: [{ pages: [1, 6] }] }), { options: { mode: 'checkpointed', policy: () => 'stop' }, checkpoints: 1, more: [0, 6] })
    expect(passes(outcome)).toEqual([ALL, [0, 1, 6]])
  })
  it('end the save when the guest has no such page', async () => {
    for (const pfn of [8, -1, 0.5, NaN]) {
      expect(await codeOf(smallGuest(), { options: { mode: 'checkpointed' }, checkpoints: 1, more: [pfn] })).toBe('SAVE_DIRTY_PFN')
    }
  })
})

describe('an image to be compared', () => {
  it('has all memory twice', async () => {
    const outcome = await saved(smallGuest(), { options: { mode: 'live', verify: true } })
    expect(types(outcome)).toEqual([0x11, 0x12, 0x10, 1, 0x0d, 1, 8, 9, 10, 0])
    expect(passes(outcome)).toEqual([ALL, ALL])
    expect(outcome.events.filter((event) => event.type === 'pass-begin').map(({ pass }) => pass)).toEqual(['live', 'final', 'verify'])
  })
  it('has it once where the guest does not run or has checkpoints', async () => {
    expect(types(await saved(smallGuest(), { options: { mode: 'stopped', verify: true } }))).not.toContain(0x0d)
    expect(types(await saved(smallGuest(), { options: { mode: 'checkpointed', verify: true }, checkpoints: 1 }))).not.toContain(0x0d)
  })
})

describe('what a guest does not have', () => {
  it('has no record', async () => {
    const empty = new Uint8Array(0)
    const outcome = await saved(smallGuest({ frames: 0, policy: { cpuid: empty, msr: empty }, hvmParams: new Map() }), { options: { mode: 'stopped' } })
    expect(types(outcome)).toEqual([0x10, 8, 9, 0])
  })
  it('has no record: offline vCPUs, and parts of their state', async () => {
    const gold = goldPv('gold_xc_pv64_nonlive', 8)
    const empty = new Uint8Array(0)
    const context = gold.guest().script.vcpus?.[0]?.context as Uint8Array
    const vcpu = { context, extended: empty, xsave: empty, msrs: empty }
    const outcome = await saved(gold.guest({ maxVcpuId: 2, vcpus: [vcpu, undefined, vcpu] }), { options: { mode: 'stopped' } })
    const vcpus = outcome.records.filter(({ type }) => [4, 5, 6, 0x0c].includes(type))
    expect(vcpus.map(({ type, body }) => [type, body[0], body.length])).toEqual([[4, 0, 5176], [4, 2, 5176]])
  })
  it('has no record that is too long to be read', async () => {
    expect(await codeOf(smallGuest({ hvmContext: new Uint8Array((128 << 20) + 1) }), { options: { mode: 'stopped' } })).toBe('SAVE_TOO_LARGE')
  })
})

describe('the p2m of a guest that keeps it as one list', () => {
  const guestOf = (): P2mGuest => {
    const guest = new P2mGuest(8, 600)
    guest.linear(0xffff_c900_0000_0000n, guest.leaves(2))
    guest.say('p2mGeneration', 4)
    return guest
  }
  it('may not move while the guest is saved', async () => {
    const moving = guestOf()
    const dirty: DirtyStep[] = [{ pages: [], estimate: 100, then: () => moving.say('p2mGeneration', 5) }]
    const guest = moving.guest({ dirty })
    expect(await codeOf(guest, { options: { mode: 'live' } })).toBe('SAVE_P2M_MOVED')
    expect(guest.calls).not.toContain('suspend')
  })
  it('may not move between two checkpoints either', async () => {
    const moving = guestOf()
    const guest = moving.guest({ dirty: [{ pages: [], then: () => moving.say('p2mGeneration', 5) }] })
    expect(await codeOf(guest, { options: { mode: 'checkpointed', policy: () => 'stop' }, checkpoints: 2 })).toBe('SAVE_P2M_MOVED')
  })
  it('is written with the image, and with it nothing of the host', async () => {
    const outcome = await saved(guestOf().guest(), { options: { mode: 'live' } })
    expect([...(outcome.records.find(({ type }) => type === 3)?.body ?? [])].slice(0, 24)).toEqual([0, 0, 0, 0, 0x57, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
  })
})

describe('what a save tells while it works', () => {
  it('is each pass with its batches, and what the guest wrote meanwhile', async () => {
    const pages = new Map(Array.from({ length: 1100 }, (_, pfn) => [pfn, page(1)]))
    const dirty: DirtyStep[] = [{ pages: [1, 2], estimate: 3 }]
    const { events, bytes } = await saved(smallGuest({ pages, frames: 1100, dirty }), { options: { mode: 'live', policy: ({ round }) => (round === 0 ? 'again' : 'stop') } })
    const start = 40 + 32 + 24 + 8
    const batch = 16 + 1024 * 4104
    const all = start + batch + 16 + 76 * 4104
    expect(events).toEqual([
      { type: 'pass-begin', pass: 'live', round: 0, expected: 1100 },
      { type: 'pages', pass: 'live', round: 0, sent: 1024, expected: 1100, bytes: start + batch },
      { type: 'pages', pass: 'live', round: 0, sent: 1100, expected: 1100, bytes: all },
      { type: 'pass-end', pass: 'live', round: 0, sent: 1100, deferred: 0, bytes: all },
      { type: 'dirty', round: 1, pages: 3 },
      { type: 'pass-begin', pass: 'final', round: 1, expected: 3 },
      { type: 'pages', pass: 'final', round: 1, sent: 2, expected: 3, bytes: all + 16 + 2 * 4104 },
      { type: 'pass-end', pass: 'final', round: 1, sent: 2, deferred: 0, bytes: all + 16 + 2 * 4104 },
    ])
    expect(bytes.length).toBeGreaterThan(all)
  })
  it('may go unheard', async () => {
    const saver = await openImageSaver(smallGuest().forSave(), { mode: 'live' })
    await saver.begin(sinkOfBytes())
    await saver.finish(sinkOfBytes())
    await saver.close()
    expect(saver.pages).toBe(8)
  })
})

describe('steps in an order that makes no image', () => {
  const open = (mode: 'stopped' | 'checkpointed'): ReturnType<typeof openImageSaver> => openImageSaver(smallGuest().forSave(), { mode })
  const refused = { code: 'SAVE_ORDER' }
  it('are refused', async () => {
    const sink = sinkOfBytes()
    const saver = await open('stopped')
    await expect(saver.stop()).rejects.toMatchObject(refused)
    await expect(saver.finish(sink)).rejects.toMatchObject(refused)
    await expect(saver.checkpoint(sink)).rejects.toMatchObject(refused)
    await saver.begin(sink)
    await expect(saver.begin(sink)).rejects.toMatchObject(refused)
    await saver.stop()
    await expect(saver.stop()).rejects.toMatchObject(refused)
    await saver.finish(sink)
    await expect(saver.finish(sink)).rejects.toMatchObject(refused)
    await saver.close()
    await saver.close()
    await expect(saver.begin(sink)).rejects.toMatchObject(refused)
  })
  it('are refused: two at once', async () => {
    const saver = await open('stopped')
    const first = saver.begin(sinkOfBytes())
    await expect(saver.begin(sinkOfBytes())).rejects.toMatchObject(refused)
    await first
    await saver.close()
  })
  it('are refused: an end where checkpoints belong', async () => {
    const saver = await open('checkpointed')
    await saver.begin(sinkOfBytes())
    await expect(saver.finish(sinkOfBytes())).rejects.toMatchObject(refused)
    await saver.checkpoint(sinkOfBytes())
    await saver.close()
  })
  it('are refused: anything after a failure', async () => {
    const guest = smallGuest()
    guest.failAt = 3
    const saver = await openImageSaver(guest.forSave(), { mode: 'stopped' })
    await saver.begin(sinkOfBytes())
    await expect(saver.stop()).rejects.toMatchObject({ code: 'BACKEND_HOST' })
    await expect(saver.finish(sinkOfBytes())).rejects.toMatchObject(refused)
    await saver.close()
  })
})
