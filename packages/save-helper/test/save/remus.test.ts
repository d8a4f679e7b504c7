import { sinkOfBytes } from '@xen-replication/format'
import type { DomId } from '@xen-replication/hypervisor'
import { describe, expect, it } from 'vitest'
import type { Message } from '../../src/protocol/message.ts'
import type { Answer } from '../scripted-libxl.ts'
import { mockScene, restoreOf, saveOn, type MockScene } from '../mock-host.ts'

const REMUS = 1
const LIVE = 1
const names = (calls: readonly { name: string }[]): string[] => calls.map(({ name }) => name)
const busy = { kind: 'hvm', workload: 'zipf', memoryBytes: 12 << 20 } as const

/** Answers as libxl does until `checkpoints` of them are made, then says `last` to the next suspend. */
function upTo(scene: MockScene, checkpoints: number, last: number | 'gone' = 0) {
  let made = 0
  return (message: Message) => {
    if (message.name === 'checkpoint') made++
    return message.name === 'suspend' && made === checkpoints ? (last === 'gone' ? undefined : last) : scene.act(message)
  }
}

/** Notes how many bytes there were at each question of the helper. */
function watched(scene: MockScene, answer: Answer) {
  const sink = sinkOfBytes()
  let bytes = 0
  const at: { name: string; bytes: number }[] = []
  return {
    at,
    sink: { write: (parts: readonly Uint8Array[]) => { bytes += parts.reduce((sum, { length }) => sum + length, 0); return sink.write(parts) } },
    answer: (message: Message) => { at.push({ name: message.name, bytes }); return answer(message) },
    bytes: () => sink.bytes(),
  }
}

describe('checkpoints', () => {
  it('are sent while the guest runs: nothing goes out between suspend and postcopy, all of it before checkpoint', async () => {
    const scene = await mockScene(busy)
    const watch = watched(scene, upTo(scene, 4))
    const { exit, libxl } = await saveOn(scene, { flags: LIVE, stream: REMUS, sink: watch.sink, answer: watch.answer })
    expect(exit).toBe(0)
    const made = ['suspend', 'postcopy', 'checkpoint']
    expect(names(libxl.calls)).toEqual(['switchQemuLogdirty', ...made, ...made, ...made, ...made, 'suspend', 'switchQemuLogdirty', 'complete'])
    for (let i = 1; i < 13; i += 3) {
      const [suspend, postcopy, checkpoint] = watch.at.slice(i, i + 3)
      expect(postcopy?.bytes).toBe(suspend?.bytes)
      expect(checkpoint?.bytes).toBeGreaterThan(postcopy?.bytes ?? Infinity)
    }
    expect(watch.at.at(-1)?.bytes).toBe(watch.at.at(-3)?.bytes) // the checkpoint that never came to be left nothing
    expect(scene.mock.leaks()).toEqual([])
  })

  it('end in failure when the guest is not suspended, and libxl is told why', async () => {
    const scene = await mockScene(busy)
    const { libxl } = await saveOn(scene, { flags: LIVE, stream: REMUS, answer: upTo(scene, 2) })
    expect(libxl.heard.at(-1)).toEqual({ name: 'complete', values: { result: -1, errno: 5 } })
    expect(libxl.logs).toContain('8 HELPER_REFUSED: the guest was not suspended')
  })

  it.each([['postcopy', 0], ['postcopy', -1], ['checkpoint', 0], ['checkpoint', -3]] as const)('end with what libxl said when it ends them at %s with %i', async (name, value) => {
    const scene = await mockScene(busy)
    const { libxl, exit } = await saveOn(scene, { flags: LIVE, stream: REMUS, answer: (message) => (message.name === name ? value : scene.act(message)) })
    expect([exit, libxl.heard.at(-1)]).toEqual([0, { name: 'complete', values: { result: value, errno: 0 } }])
    expect(scene.mock.leaks().filter(({ what }) => what !== 'suspended')).toEqual([])
  })

  it('leave no log of written pages behind when libxl vanishes', async () => {
    const scene = await mockScene(busy)
    const answer = upTo(scene, 2, 'gone')
    const { exit } = await saveOn(scene, { flags: LIVE, stream: REMUS, answer: async (message) => answer(message) })
    expect(exit).toBe(1)
    expect(scene.mock.leaks()).toEqual([])
  })

  it('leave no log of written pages behind when the other end is gone', async () => {
    const scene = await mockScene(busy)
    let left = 3_000_000
    const sink = { write: (parts: readonly Uint8Array[]) => ((left -= parts.reduce((sum, { length }) => sum + length, 0)) < 0 ? Promise.reject(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })) : Promise.resolve()) }
    const { libxl } = await saveOn(scene, { flags: LIVE, stream: REMUS, sink })
    expect(libxl.heard.at(-1)).toEqual({ name: 'complete', values: { result: -1, errno: 32 } })
    expect(scene.mock.leaks().filter(({ what }) => what !== 'suspended')).toEqual([])
  })
})

describe('a backup whose sender is gone', () => {
  const stream = async (scene: MockScene) => (await saveOn(scene, { flags: LIVE, stream: REMUS, answer: upTo(scene, 4) })).bytes
  const restored = async (scene: MockScene, bytes: Uint8Array, answer: (checkpoint: number) => number = () => 1) => {
    let seen = 0
    return restoreOf(scene, bytes, { stream: REMUS, answer: ({ name }) => (name === 'checkpoint' ? answer(seen++) : 0) })
  }
  const runs = async (done: Awaited<ReturnType<typeof restored>>) => {
    const [{ domId }] = (await done.mock.list()) as unknown as [{ domId: DomId }]
    await done.mock.lifecycle(domId).unpause()
    await done.mock.lifecycle(domId).resume('resumed').catch(() => undefined)
    await done.mock.advance(500)
    return done.mock.inspect(domId, ({ crash }) => crash)
  }

  it('goes on as of the last checkpoint when the stream just ends', async () => {
    const scene = await mockScene(busy)
    const done = await restored(scene, await stream(scene))
    expect(names(done.libxl.calls)).toEqual(['staticDataDone', 'checkpoint', 'checkpoint', 'checkpoint', 'checkpoint', 'restoreResults', 'complete'])
    expect(done.libxl.heard.at(-1)?.values).toEqual({ result: 0, errno: 0 })
    expect(done.libxl.logs).toContainEqual(expect.stringMatching(/^6 the sender is gone .*; going on as of checkpoint 3, without 0 bytes/))
    expect(await runs(done)).toBeUndefined()
  })

  it('goes on as of the last whole checkpoint when the stream ends within one', async () => {
    const scene = await mockScene(busy)
    const bytes = await stream(scene)
    const done = await restored(scene, bytes.subarray(0, bytes.length - 5000))
    expect(done.libxl.logs).toContainEqual(expect.stringMatching(/^6 the sender is gone .*; going on as of checkpoint 2, without \d{4,} bytes/))
    expect(await runs(done)).toBeUndefined()
  })

  it('goes on without a checkpoint that libxl could not read its part of', async () => {
    const scene = await mockScene(busy)
    const done = await restored(scene, await stream(scene), (n) => (n < 2 ? 1 : 2))
    expect(done.libxl.heard.at(-1)?.values).toEqual({ result: 0, errno: 0 })
    expect(done.libxl.logs).toContainEqual(expect.stringContaining('going on as of checkpoint 1'))
    expect(await runs(done)).toBeUndefined()
  })

  it.each([[0, 2], [1, 0], [1, -1]] as const)('is given up when libxl answers checkpoint %i with %i', async (at, value) => {
    const scene = await mockScene(busy)
    const done = await restored(scene, await stream(scene), (n) => (n === at ? value : 1))
    expect(done.libxl.heard.slice(-1)).toEqual([{ name: 'complete', values: { result: -1, errno: 5 } }])
    expect(done.libxl.calls).toContainEqual({ name: 'restoreResults', values: { store: 0, console: 0 } })
    expect(done.libxl.logs).toContainEqual(expect.stringMatching(/^8 HELPER_REFUSED: libxl could not read its part of checkpoint/))
    expect(done.mock.leaks()).toEqual([])
  })

  it('is given up when the stream ends before the first checkpoint', async () => {
    const scene = await mockScene(busy)
    const done = await restored(scene, (await stream(scene)).subarray(0, 1_000_000))
    expect(done.libxl.heard.at(-1)?.values).toMatchObject({ result: -1 })
    expect(done.mock.leaks()).toEqual([])
  })
})
