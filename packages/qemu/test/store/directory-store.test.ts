import { createHash } from 'node:crypto'
import { appendFileSync, cpSync, existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import type { CheckpointStore, MachineFacts } from '../../src/store/checkpoint-store.ts'
import { openDirectoryStore } from '../../src/store/directory-store.ts'
import { encodeHead, encodeTail } from '../../src/store/journal-format.ts'
import { openBackup } from '../../src/store/open-backup.ts'
import { emptyDirectory } from '../empty-directory.ts'

const PAGE = 4096
const ram = { name: 'pc.ram', length: 8 * PAGE }
const rom = { name: 'rom', length: PAGE + 100 }
const facts: MachineFacts = { machine: 'pc', blocks: [ram, rom], ramId: 2 }
const devices = (epoch: number): Uint8Array => Uint8Array.of(4, epoch, 0)

type Fill = readonly [page: number, fill: number]

/** Sends pages of one value each; the last two pages are those of the ROM. */
function send(store: CheckpointStore, fills: readonly Fill[]): void {
  for (const [page, fill] of fills) store.page(page < 8 ? ram : rom, (page < 8 ? page : page - 8) * PAGE, fill === 0 ? undefined : new Uint8Array(PAGE).fill(fill))
}

async function kept(path: string): Promise<{ readonly epoch: number; readonly fills: readonly number[]; readonly devices: readonly number[] }> {
  const backup = await openBackup(path)
  try {
    const fills: number[] = []
    for (const block of backup.state.blocks) for (let at = 0; at < block.length; at += PAGE) fills.push((await backup.state.page(block, at))?.[PAGE - 1] ?? 0)
    return { epoch: backup.epoch, fills, devices: [...backup.state.devices] }
  } finally {
    backup.close()
  }
}

const zeros = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]

describe('a store of checkpoints', () => {
  it('gives the last complete checkpoint, not what came in behind it', async () => {
    const path = emptyDirectory()
    let time = 1_000
    const store = openDirectoryStore(path, { time: () => (time += 1_000) })
    await store.begin(facts)
    send(store, [[0, 1], [0, 7], [9, 3]])
    expect(await store.commit(devices(0))).toBe(0)
    send(store, [[0, 0], [1, 5]])
    expect(await store.commit(devices(1))).toBe(1)
    send(store, [[1, 9], [2, 9]])
    await store.close()
    const backup = await openBackup(path)
    backup.close()
    expect(backup.at).toBe(3_000)
    expect(await kept(path)).toEqual({ epoch: 1, fills: [0, 5, 0, 0, 0, 0, 0, 0, 0, 3], devices: [4, 1, 0] })
  })

  it('goes on behind a checkpoint that was dropped, and behind one that is the same', async () => {
    const path = emptyDirectory()
    const store = openDirectoryStore(path)
    await store.begin(facts)
    await store.commit(devices(0))
    send(store, [[1, 9], [2, 9]])
    await store.drop()
    expect(await store.commit(devices(1))).toBe(1)
    send(store, [[3, 4]])
    expect(await store.commit(devices(2))).toBe(2)
    await store.close()
    expect(await kept(path)).toEqual({ epoch: 2, fills: [0, 0, 0, 4, 0, 0, 0, 0, 0, 0], devices: [4, 2, 0] })
  })

  test.prop([fc.array(fc.array(fc.tuple(fc.nat(9), fc.nat(3)), { maxLength: 12 }), { minLength: 1, maxLength: 8 }), fc.constantFrom(1, 20_000, 1e9)], { numRuns: 40 })(
    'is the same as the guest was, wherever its pages are by then', async (epochs, journalBytes) => {
      const path = emptyDirectory()
      const store = openDirectoryStore(path, { journalBytes })
      await store.begin(facts)
      const guest = [...zeros]
      for (const [epoch, fills] of epochs.entries()) {
        send(store, fills)
        for (const [page, fill] of fills) guest[page] = fill
        expect(await store.commit(devices(epoch))).toBe(epoch)
      }
      await store.close()
      expect(await kept(path)).toEqual({ epoch: epochs.length - 1, fills: guest, devices: [4, epochs.length - 1, 0] })
    },
  )

  it('takes no more room than the guest, two journals and the checkpoint that comes in', async () => {
    const path = emptyDirectory()
    const store = openDirectoryStore(path, { journalBytes: 20_000 })
    await store.begin(facts)
    for (let epoch = 0; epoch < 50; epoch++) {
      send(store, [[epoch % 8, 1 + epoch]])
      await store.commit(devices(epoch % 200))
    }
    await store.close()
    const files = readdirSync(join(path, 'g0'))
    expect(files.filter((name) => name.startsWith('journal')).length).toBeLessThanOrEqual(2)
    expect(files.filter((name) => name.startsWith('sums') || name.startsWith('devices')).length).toBe(2)
    expect((await kept(path)).epoch).toBe(49)
  })

  it('keeps the guest it has until another one is there completely', async () => {
    const path = emptyDirectory()
    const first = openDirectoryStore(path)
    await first.begin(facts)
    send(first, [[0, 1]])
    await first.commit(devices(0))
    await first.close()
    const second = openDirectoryStore(path)
    await second.begin({ ...facts, machine: 'q35' })
    send(second, [[0, 2]])
    await second.close()
    expect((await kept(path)).fills[0]).toBe(1)
    const third = openDirectoryStore(path)
    await third.begin(facts)
    send(third, [[0, 3]])
    await third.commit(devices(9))
    await third.close()
    expect(await kept(path)).toMatchObject({ epoch: 0, fills: [3, 0, 0, 0, 0, 0, 0, 0, 0, 0] })
    expect(readdirSync(path).filter((name) => name.startsWith('g')).length).toBe(1)
  })

  it('is had by one process at a time', async () => {
    const path = emptyDirectory()
    const store = openDirectoryStore(path)
    expect(() => openDirectoryStore(path)).toThrow(/at work in/)
    await expect(openBackup(path)).rejects.toMatchObject({ code: 'QEMU_STORE_BUSY' })
    await store.close()
    await expect(openBackup(path)).rejects.toMatchObject({ code: 'QEMU_STORE_EMPTY' })
  })

  it('refuses a guest that is too large, and checkpoints of none', async () => {
    const store = openDirectoryStore(emptyDirectory(), { memoryBytes: PAGE })
    await expect(store.begin(facts)).rejects.toMatchObject({ code: 'QEMU_TOO_LARGE' })
    await expect(store.commit(devices(0))).rejects.toMatchObject({ code: 'QEMU_OUT_OF_STEP' })
    await store.drop()
    await store.close()
  })

  it('is not made by looking for one that is not there', async () => {
    const path = join(emptyDirectory(), 'typo')
    await expect(openBackup(path)).rejects.toMatchObject({ code: 'QEMU_STORE_EMPTY', message: `${path} is not there` })
    expect(existsSync(path)).toBe(false)
  })

  it('cannot be where no directory can be made', () => {
    expect(() => openDirectoryStore('/dev/null/store')).toThrow(/QEMU_STORE_IO|ENOTDIR/)
  })
})

/** A store of three checkpoints, of which the last two are in the journal. */
async function threeCheckpoints(): Promise<string> {
  const path = emptyDirectory()
  const store = openDirectoryStore(path)
  await store.begin(facts)
  for (let epoch = 0; epoch < 3; epoch++) {
    send(store, [[epoch, epoch + 1], [7, epoch + 1]])
    await store.commit(devices(epoch))
  }
  await store.close()
  return path
}

const flip = (path: string, at: number): void => {
  const bytes = readFileSync(path)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(path, bytes)
}

describe('after a crash or on a bad disk', () => {
  it('the last checkpoint that is complete counts, wherever the journal was cut', async () => {
    const path = await threeCheckpoints()
    const journal = readFileSync(join(path, 'g0', 'journal.a'))
    const one = journal.length / 2
    for (const cut of [0, 1, 15, 16, 20, 24, 100, one - 33, one - 1, one, one + 1, journal.length - 1]) {
      truncateSync(join(path, 'g0', 'journal.a'), 0)
      appendFileSync(join(path, 'g0', 'journal.a'), journal.subarray(0, cut))
      expect(await kept(path)).toMatchObject({ epoch: cut < one ? 0 : 1, fills: cut < one ? [1, 0, 0, 0, 0, 0, 0, 1, 0, 0] : [1, 2, 0, 0, 0, 0, 0, 2, 0, 0] })
    }
  })

  it('a changed byte in the journal makes that checkpoint and those behind it not count', async () => {
    const path = await threeCheckpoints()
    const journal = join(path, 'g0', 'journal.a')
    const { length } = readFileSync(journal)
    for (let at = 0; at < length / 2; at += 111) {
      flip(journal, at)
      expect((await kept(path)).epoch).toBe(0)
      flip(journal, at)
    }
    flip(journal, length - 1)
    expect((await kept(path)).epoch).toBe(1)
  })

  it('changed memory, sums, devices or facts are found, never given out', async () => {
    const path = await threeCheckpoints()
    flip(join(path, 'g0', 'memory'), 100)
    await expect(kept(path)).rejects.toMatchObject({ code: 'QEMU_STORE_DAMAGED', offset: 0 })
    flip(join(path, 'g0', 'memory'), 100)
    flip(join(path, 'g0', 'sums.0'), 3)
    await expect(kept(path)).rejects.toMatchObject({ code: 'QEMU_STORE_DAMAGED' })
    flip(join(path, 'g0', 'sums.0'), 3)
    flip(join(path, 'g0', 'devices.0'), 1)
    expect((await kept(path)).epoch).toBe(2)
    truncateSync(join(path, 'g0', 'journal.a'), 0)
    await expect(kept(path)).rejects.toMatchObject({ code: 'QEMU_STORE_DAMAGED' })
    writeFileSync(join(path, 'state.json'), '{"version":1,"folder":"../.."}')
    await expect(kept(path)).rejects.toMatchObject({ code: 'QEMU_STORE_DAMAGED' })
    writeFileSync(join(path, 'state.json'), 'nonsense')
    await expect(kept(path)).rejects.toMatchObject({ code: 'QEMU_STORE_DAMAGED' })
  })

  it('a journal that went to the image only in part is gone through again', async () => {
    const path = await threeCheckpoints()
    const before = await kept(path)
    const image = readFileSync(join(path, 'g0', 'memory'))
    image.fill(3, 7 * PAGE, 8 * PAGE)
    writeFileSync(join(path, 'g0', 'memory'), image)
    expect(await kept(path)).toEqual(before)
  })

  it('entries that a guest has made up in its memory do not count, wherever they come to lie', async () => {
    const path = emptyDirectory()
    const store = openDirectoryStore(path)
    await store.begin(facts)
    await store.commit(devices(0))
    const forged = new Uint8Array(PAGE)
    let at = 0
    const stranger = createHash('sha256')
    for (const part of [encodeHead(2), ...encodeTail({ devices: devices(66), at: 0 })]) {
      forged.set(part, at)
      stranger.update(part)
      at += part.length
    }
    forged.set(stranger.digest(), at)
    store.page(ram, 0, forged)
    await store.commit(devices(1))
    await store.close()
    const journal = join(path, 'g0', 'journal.a')
    writeFileSync(journal, Buffer.concat([readFileSync(journal), forged]))
    expect(await kept(path)).toMatchObject({ epoch: 1, devices: [4, 1, 0] })
  })

  it('a store of another version is not taken for one of this', async () => {
    const path = await threeCheckpoints()
    const state = JSON.parse(readFileSync(join(path, 'state.json'), 'utf8')) as Record<string, unknown>
    writeFileSync(join(path, 'state.json'), JSON.stringify({ ...state, version: 1 }))
    await expect(kept(path)).rejects.toMatchObject({ code: 'QEMU_STORE_DAMAGED' })
  })
})

/** The store as a process leaves it that is killed now. */
function copyOf(path: string): string {
  const copy = emptyDirectory()
  cpSync(path, copy, { recursive: true, filter: (one) => !one.endsWith('/lock') })
  return copy
}

describe('a store whose process is killed', () => {
  test.prop([fc.array(fc.array(fc.tuple(fc.nat(9), fc.nat(3)), { maxLength: 12 }), { minLength: 1, maxLength: 12 }), fc.constantFrom(1, 20_000, 1e9), fc.constantFrom('power' as const, 'process' as const)], { numRuns: 15 })(
    'has what was committed last, whatever went on in it', async (epochs, journalBytes, durability) => {
      const path = emptyDirectory()
      const store = openDirectoryStore(path, { journalBytes, durability })
      await store.begin(facts)
      const guest = [...zeros]
      for (const [epoch, fills] of epochs.entries()) {
        send(store, fills)
        for (const [page, fill] of fills) guest[page] = fill
        await store.commit(devices(epoch))
        send(store, [[3, 77]]) // comes in half
        expect(await kept(copyOf(path))).toEqual({ epoch, fills: guest, devices: [4, epoch, 0] })
        await store.drop()
      }
      await store.close()
    },
  )

  it('is right at each moment of folding a journal that is written over', async () => {
    const path = emptyDirectory()
    const store = openDirectoryStore(path, { journalBytes: 60_000 })
    await store.begin(facts)
    for (let epoch = 0; epoch < 20; epoch++) {
      send(store, [[epoch % 8, 1 + epoch], [9, 200 - epoch]])
      await store.commit(devices(epoch))
      for (let turn = 0; turn < 3; turn++) {
        const { epoch: found, fills } = await kept(copyOf(path))
        expect([found, fills[epoch % 8], fills[9]]).toEqual([epoch, 1 + epoch, 200 - epoch])
      }
    }
    await store.close()
    expect(readFileSync(join(path, 'state.json'), 'utf8')).not.toContain('"epoch":0,')
  })
})
