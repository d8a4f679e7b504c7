import { describe, expect, it } from 'vitest'
import { SimDisk } from '../../src/host/sim-disk.ts'
import { Watch } from '../../src/run/invariants.ts'

/** A pair whose epochs 0 and 1 have ended, after 10 and 20 operations and one write each, and epoch 0 is stored. */
function pair(): { readonly watch: Watch; readonly disk: SimDisk } {
  const disk = new SimDisk()
  const watch = new Watch(() => 7, disk)
  watch.changed('a', { holding: true })
  disk.begin(0, [{ block: 1, number: 1 }])()
  watch.epochEnds(0, { ops: 10, writes: 1, memory: 100 })
  watch.storedAtBackup(0)
  watch.acknowledgedToPrimary(0)
  disk.begin(1, [{ block: 1, number: 1 }, { block: 2, number: 2 }])()
  watch.epochEnds(1, { ops: 20, writes: 2, memory: 200 })
  return { watch, disk }
}

const after = (work: (made: ReturnType<typeof pair>) => void): string | undefined => {
  const made = pair()
  work(made)
  return made.watch.violation?.invariant
}

describe('what must not be is seen', () => {
  it.each<readonly [what: string, invariant: string | undefined, work: (made: ReturnType<typeof pair>) => void]>([
    ['the guest goes on from the last epoch that was stored', undefined, ({ watch }) => watch.takesOver({ ops: 10, writes: 1, memory: 100 })],
    ['a packet of an epoch that is stored leaves', undefined, ({ watch }) => watch.packetLeaves('a', { number: 1, ops: 9, noise: 0 })],
    ['a packet of an epoch that is not stored leaves', 'output-commit', ({ watch }) => watch.packetLeaves('a', { number: 2, ops: 15, noise: 0 })],
    ['a packet that was held leaves when the primary goes on alone', undefined, ({ watch }) => (watch.letsGo(), watch.packetLeaves('a', { number: 2, ops: 15, noise: 0 }))],
    ['the backup goes on from before a packet that was seen', 'no-lost-output', ({ watch }) => (watch.letsGo(), watch.packetLeaves('a', { number: 2, ops: 15, noise: 0 }), watch.takesOver({ ops: 10, writes: 1, memory: 100 }))],
    ['a packet leaves the primary after the backup went on without it', 'no-lost-output', ({ watch }) => (watch.takesOver({ ops: 10, writes: 1, memory: 100 }), watch.letsGo(), watch.packetLeaves('a', { number: 2, ops: 15, noise: 0 }))],
    ['the guest goes on from an epoch that is too old', 'last-epoch', ({ watch }) => (watch.storedAtBackup(1), watch.takesOver({ ops: 10, writes: 1, memory: 100 }))],
    ['the memory of the guest is that of no epoch', 'last-epoch', ({ watch }) => watch.takesOver({ ops: 10, writes: 1, memory: 101 })],
    ['the disk is of another epoch than the memory', 'disk-epoch', ({ watch, disk }) => (disk.begin(0, []), watch.takesOver({ ops: 10, writes: 1, memory: 100 }))],
    ['both guests are active', 'one-active', ({ watch }) => (watch.changed('a', { holding: false }), watch.changed('b', { running: true }))],
    ['the guest of the primary runs, its output held for ever, beside that of the backup', undefined, ({ watch }) => watch.changed('b', { running: true })],
    ['a packet leaves a backup that waits', 'one-active', ({ watch }) => watch.packetLeaves('b', { number: 1, ops: 1, noise: 0 })],
    ['the primary dies and its backup is active in time', undefined, ({ watch }) => (watch.dies('a', 'ready'), watch.takesOver({ ops: 10, writes: 1, memory: 100 }), watch.tookOverWithin(1))],
    ['the primary dies and its backup never is', 'in-time', ({ watch }) => (watch.dies('a', 'ready'), watch.tookOverWithin(1000))],
    ['the primary dies before there is a whole copy', undefined, ({ watch }) => (watch.dies('a', 'not'), watch.tookOverWithin(1000))],
  ])('%s: %s', (_, invariant, work) => expect(after(work)).toBe(invariant))

  it('and the first of it is kept, with its time', () => {
    const { watch } = pair()
    watch.packetLeaves('a', { number: 2, ops: 15, noise: 0 })
    watch.packetLeaves('b', { number: 1, ops: 1, noise: 0 })
    expect(watch.violation).toMatchObject({ invariant: 'output-commit', at: 7, what: expect.stringContaining('packet 2') as string })
  })
})

/** A pair of which the secondary runs along; its epoch 0 is stored. */
function alongside(): Watch {
  const disk = new SimDisk()
  const watch = new Watch(() => 7, disk, 'runs-along')
  watch.changed('a', { holding: true })
  disk.begin(0, [{ block: 1, number: 1 }])()
  watch.epochEnds(0, { ops: 10, writes: 1, memory: 100 })
  watch.storedAtBackup(0)
  return watch
}

describe('of guests that run on both hosts', () => {
  it.each<readonly [what: string, invariant: string | undefined, work: (watch: Watch) => void]>([
    ['a packet leaves that the secondary has sent as well', undefined, (watch) => (watch.secondarySends('2 15 0'), watch.packetLeaves('a', { number: 2, ops: 15, noise: 0 }))],
    ['a packet leaves that the secondary has sent differently', 'compared-output', (watch) => (watch.secondarySends('2 15 9'), watch.packetLeaves('a', { number: 2, ops: 15, noise: 0 }))],
    ['a packet leaves that the secondary had sent before the last checkpoint', 'compared-output', (watch) => (watch.secondarySends('2 15 0'), watch.storedAtBackup(0), watch.packetLeaves('a', { number: 2, ops: 15, noise: 0 }))],
    ['a packet leaves that a checkpoint covers', undefined, (watch) => watch.packetLeaves('a', { number: 1, ops: 9, noise: 0 })],
    ['the secondary goes on as of the checkpoint', undefined, (watch) => watch.runsAlong({ ops: 10, writes: 1, memory: 100 })],
    ['the secondary goes on with other memory', 'same-memory', (watch) => watch.runsAlong({ ops: 10, writes: 1, memory: 101 })],
    ['the secondary takes over from where it is', undefined, (watch) => watch.takesOver({ ops: 14, writes: 1, memory: 5 })],
    ['the secondary takes over from before the checkpoint', 'last-epoch', (watch) => watch.takesOver({ ops: 9, writes: 1, memory: 5 })],
    ['the secondary takes over without a packet that was seen', 'no-lost-output', (watch) => (watch.secondarySends('2 15 0'), watch.packetLeaves('a', { number: 2, ops: 15, noise: 0 }), watch.takesOver({ ops: 14, writes: 1, memory: 5 }))],
  ])('%s: %s', (_, invariant, work) => {
    const watch = alongside()
    work(watch)
    expect(watch.violation?.invariant).toBe(invariant)
  })
})

describe('the disk of a guest', () => {
  it('is that of an epoch once its entry is whole, and torn until then', () => {
    const disk = new SimDisk()
    const whole = disk.begin(0, [{ block: 0, number: 4 }])
    expect(disk.lastOf(0, 3)).toBeUndefined()
    whole()
    expect(disk.lastOf(0, 3)).toBe(4)
    disk.begin(1, [{ block: 0, number: 4 }])()
    expect(disk.lastOf(1, 3)).toBe(4) // it was not written again
    expect(disk.lastOf(2, 3)).toBeUndefined()
  })
})
