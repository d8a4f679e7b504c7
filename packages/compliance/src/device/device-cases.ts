import type { CheckpointDevice } from '@xen-replication/hypervisor'
import assert from 'node:assert/strict'
import { check, type Bench, type Case } from '../case.ts'

/** A device of a guest, set up by nobody yet. */
export interface DeviceBench extends Bench {
  readonly device: CheckpointDevice
  /** The guest does something that can be seen outside. @returns how `seen` will call it */
  readonly emit: () => Promise<string>
  /** What has been seen outside so far, in order. */
  readonly seen: () => Promise<readonly string[]>
}

/** A case that takes the device down at the end, whatever happened. */
function held(name: string, body: (bench: DeviceBench) => Promise<void>): Case<DeviceBench> {
  return check(name, async (bench) => {
    await bench.device.setup()
    try {
      await body(bench)
    } finally {
      await bench.device.teardown('drop')
    }
  })
}

/** One epoch: the guest does `count` things, is suspended and goes on. */
async function epoch({ device, emit }: DeviceBench, number: number, count = 2): Promise<string[]> {
  const done: string[] = []
  for (let i = 0; i < count; i++) done.push(await emit())
  await device.postsuspend(number)
  await device.preresume(number)
  return done
}

/** Nothing is seen outside before the backup has it. */
export const deviceCases: readonly Case<DeviceBench>[] = [
  check('a device that nobody holds back is seen at once', async ({ emit, seen }) => {
    const first = await emit()
    assert.deepEqual(await seen(), [first])
  }),
  held('nothing is seen before its epoch is committed', async (bench) => {
    await bench.emit()
    assert.deepEqual(await bench.seen(), [])
    await bench.device.postsuspend(0)
    assert.deepEqual(await bench.seen(), [], 'suspending lets it out')
    await bench.device.preresume(0)
    assert.deepEqual(await bench.seen(), [], 'resuming lets it out')
  }),
  held('a commit lets out its epoch in order, and nothing of the next', async (bench) => {
    const first = await epoch(bench, 0, 3)
    await bench.emit()
    await bench.device.commit(0)
    assert.deepEqual(await bench.seen(), first)
  }),
  held('an epoch may be committed while the next ones are already over', async (bench) => {
    const [a, b, c] = [await epoch(bench, 0), await epoch(bench, 1), await epoch(bench, 2)]
    await bench.device.commit(0)
    assert.deepEqual(await bench.seen(), a)
    await bench.device.commit(1)
    assert.deepEqual(await bench.seen(), [...a, ...b])
    await bench.device.commit(2)
    assert.deepEqual(await bench.seen(), [...a, ...b, ...c])
  }),
  held('a later commit stands for the earlier ones', async (bench) => {
    const done = [...(await epoch(bench, 0)), ...(await epoch(bench, 1))]
    await epoch(bench, 2)
    await bench.device.commit(1)
    assert.deepEqual(await bench.seen(), done)
  }),
  held('committing again, or something older, changes nothing', async (bench) => {
    const done = [...(await epoch(bench, 0)), ...(await epoch(bench, 1))]
    await bench.device.commit(1)
    await bench.emit()
    await bench.device.commit(1)
    await bench.device.commit(0)
    assert.deepEqual(await bench.seen(), done)
  }),
  held('an epoch in which nothing happened may be committed', async (bench) => {
    await epoch(bench, 0, 0)
    await bench.device.commit(0)
    assert.deepEqual(await bench.seen(), [])
    const later = await epoch(bench, 1)
    await bench.device.commit(1)
    assert.deepEqual(await bench.seen(), later)
  }),
  check('what is dropped in the end is never seen', async (bench) => {
    await bench.device.setup()
    const done = await epoch(bench, 0)
    await epoch(bench, 1)
    await bench.emit()
    await bench.device.commit(0)
    await bench.device.teardown('drop')
    assert.deepEqual(await bench.seen(), done)
  }),
  check('what is released in the end is seen, in order, and so is what comes after', async (bench) => {
    await bench.device.setup()
    const all = [...(await epoch(bench, 0)), ...(await epoch(bench, 1)), await bench.emit()]
    await bench.device.teardown('release')
    all.push(await bench.emit())
    assert.deepEqual(await bench.seen(), all)
  }),
  check('a device can be held back again, and epochs count from 0 again', async (bench) => {
    await bench.device.setup()
    await epoch(bench, 0)
    await epoch(bench, 1)
    await bench.device.teardown('drop')
    await bench.device.setup()
    const done = await epoch(bench, 0)
    await bench.emit()
    assert.deepEqual(await bench.seen(), [])
    await bench.device.commit(0)
    assert.deepEqual(await bench.seen(), done)
    await bench.device.teardown('drop')
  }),
]
