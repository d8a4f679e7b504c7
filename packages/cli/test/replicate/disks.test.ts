import { DiskJournal, STATE_PFN, type JournalEntry } from '@xen-replication/backend-mock'
import type { CheckpointDevice } from '@xen-replication/hypervisor'
import { describe, expect, it } from 'vitest'
import { count, judge, protect, standing, type Side } from './pair.ts'

/** Word of the guest's state page that counts its writes. Source: backend-mock, state-page.ts. */
const DISK_WRITES = 14
const guest = { kind: 'pvh', rate: 20_000 } as const

/** What memory knows of writes to the disk, and what the disk has. */
async function disk({ host }: Side): Promise<{ readonly memory: number; readonly last: number; readonly all: number }> {
  const [domain] = await host.list()
  if (domain === undefined) throw new Error('there is no guest')
  return host.inspect(domain.domId, (view) => {
    const page = view.page(STATE_PFN) as Uint8Array
    const numbers = [...(view.disks[0]?.blocks.values() ?? [])]
    return { memory: new Uint32Array(page.buffer, page.byteOffset, 20)[DISK_WRITES] as number, last: Math.max(0, ...numbers), all: numbers.length }
  })
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

describe('a guest whose disk is copied', () => {
  it('goes on at the backup with memory and disk of the same epoch, wherever the link is cut', async () => {
    for (const there of [1, 40_000, 300_000]) {
      const end = await protect({ guest, diskJournal: new DiskJournal({ write: () => wait(Math.random() * 8) }), judge: judge('secondary'), break: { there } })
      expect(await standing(end.backup), `cut ${there}`).toEqual(['demo paused'])
      const { memory, last, all } = await disk(end.backup)
      expect([last, all], `cut ${there}`).toEqual([memory, memory])
    }
  })

  it('is handed over with all that is on its disk', async () => {
    let acknowledged = 0
    const end = await protect({ guest, diskJournal: new DiskJournal(), then: 'stay-paused', see: (event, who, { primary }) => {
      if (who === 'primary' && event.kind === 'epoch.acknowledged' && (acknowledged += 1) === 5) primary.ask('failover')
    } })
    expect(end.sent?.outcome).toBe('handed-over')
    const { memory, last } = await disk(end.backup)
    expect(memory).toBeGreaterThan(0)
    expect(last).toBe(memory)
  })

  it('has no epoch acknowledged before the disk of it is stored, too', async () => {
    const whole: number[] = []
    const early: number[] = []
    const write = async ({ epoch }: JournalEntry): Promise<void> => {
      await wait(60)
      whole.push(epoch)
    }
    await protect({ guest, diskJournal: new DiskJournal({ write }), see: (event, who, { primary }) => {
      if (who !== 'primary' || event.kind !== 'epoch.acknowledged') return
      if (!whole.includes(event.data.epoch)) early.push(event.data.epoch)
      if (event.data.epoch === 4) primary.ask('abort')
    } })
    expect(early).toEqual([])
    expect(whole.length).toBeGreaterThanOrEqual(5)
  })

  it('goes back to the epoch before when the disk of the last one never came and the primary is lost', async () => {
    const write = ({ epoch }: JournalEntry): Promise<void> => (epoch < 3 ? Promise.resolve() : new Promise(() => undefined))
    let cut = false
    const end = await protect({ guest, diskJournal: new DiskJournal({ write }), judge: judge('secondary'), see: (event, who, pair) => {
      if (who !== 'primary' || event.kind !== 'epoch.staged' || event.data.epoch !== 3 || cut) return
      cut = true
      setTimeout(() => pair.cut(), 300) // memory of the epoch is there by then
    } })
    expect(end.got).toMatchObject({ replica: { epochs: 3 } })
    const { memory, last } = await disk(end.backup)
    expect(last).toBe(memory)
    expect(count(end.primary.seen, 'epoch.acknowledged')).toBe(3)
  })

  it('runs on at the primary when its disk cannot be written down', async () => {
    const write = ({ epoch }: JournalEntry): Promise<void> => (epoch < 2 ? Promise.resolve() : Promise.reject(new Error('no space')))
    const end = await protect({ guest, diskJournal: new DiskJournal({ write }) })
    expect(end.sentError).toMatchObject({ code: expect.stringMatching(/TOOL_UNPROTECTED|BACKEND_STATE/) as string })
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([['demo runs'], []])
  })

  it('cannot be written to by the primary any more once the backup has taken the disk over', async () => {
    const log = new DiskJournal().log('s', 'xvda')
    log.begin(new Map())
    log.put(0, [{ block: 1, number: 1 }])
    await log.whole(0, new AbortController().signal)
    expect([...log.take(0, 7n)]).toEqual([[1, 1]])
    expect(() => log.put(1, [])).toThrow(/taken over under token 7/)
    expect(() => log.take(0, 6n)).toThrow(/later than 6/)
  })
})

describe('a device for which the guest has to stand until the backup has the epoch', () => {
  it('finds it as it was at the end of the epoch when that is stored, and it runs in between', async () => {
    const ends: number[] = []
    const resumes: number[] = []
    let acknowledged = -1
    let primary: Side | undefined
    const ops = async (): Promise<number> => {
      const [domain] = (await primary?.host.list()) ?? []
      return domain === undefined ? 0 : ((await primary?.host.inspect(domain.domId, (view) => view.ops)) ?? 0)
    }
    const device: CheckpointDevice = {
      name: 'mirror', kind: 'disk', standsUntil: 'stored',
      setup: () => Promise.resolve(),
      postsuspend: async () => void ends.push(await ops()),
      preresume: async (epoch) => {
        expect(acknowledged).toBe(epoch)
        resumes.push(await ops())
      },
      commit: () => Promise.resolve(), waiting: () => Promise.resolve(0), teardown: () => Promise.resolve(),
    }
    const end = await protect({ guest, request: { moreDevices: () => [device] }, see: (event, who, pair) => {
      primary = pair.primary
      if (who !== 'primary' || event.kind !== 'epoch.acknowledged') return
      acknowledged = event.data.epoch
      if (event.data.epoch === 4) pair.primary.ask('abort')
    } })
    expect(end.sentError).toMatchObject({ code: 'TOOL_INTERRUPTED' })
    expect(resumes).toEqual(ends.slice(0, resumes.length))
    expect(resumes.length).toBeGreaterThanOrEqual(4)
    expect(ends.at(-1)).toBeGreaterThan(ends[0] as number)
    expect(await standing(end.primary)).toEqual(['demo runs'])
  })
})
