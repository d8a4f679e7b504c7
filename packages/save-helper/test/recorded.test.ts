import type { GuestSpec } from '@xen-replication/backend-mock'
import { describe, expect, it } from 'vitest'
import type { Message } from '../src/protocol/message.ts'
import { mockScene, restoreOf, saveOn, type MockScene } from './mock-host.ts'
import { recording } from './recordings.ts'
import { callsOf } from './scripted-libxl.ts'

/** Gives the answers of a recording, in their order, whatever the guest's part of it gives. */
function replay(answers: readonly number[], act: (message: Message) => Promise<unknown> = () => Promise.resolve()) {
  let next = 0
  return async (message: Message): Promise<number | undefined> => {
    const answer = answers[next++]
    if (answer !== undefined) await act(message)
    return answer
  }
}

/** What was said apart from logs and progress; numbers of the guest and its frames differ between hosts. */
const calls = (said: readonly Message[], domId: number): unknown[] =>
  callsOf(said).map(({ name, values }) => {
    if (name === 'restoreResults') return { name, found: values.store > 0 && values.console > 0 }
    return { name, values: 'domId' in values ? { ...values, domId: values.domId - domId } : values }
  })

const domIdIn = (argv: readonly string[]): number => Number(argv[3])
const busy = { kind: 'hvm', workload: 'zipf' } as const
const [SAVE, RESTORE] = [(argv: readonly string[]) => ({ flags: Number(argv[4]), stream: Number(argv[6]) }), (argv: readonly string[]) => ({ stream: Number(argv[9]) })]

describe('libxl, as it was recorded with its own helper, gets the same from this one:', () => {
  const saves: readonly (readonly [name: string, spec: Omit<GuestSpec, 'name'>])[] = [['pv-save', { kind: 'pv' }], ['hvm-save', { kind: 'hvm' }], ['hvm-live-save', busy], ['hvm-remus-save', busy]]
  it.each(saves)('%s', async (name, spec) => {
    const { argv, answers, said, exit } = recording(name)
    const scene = await mockScene(spec)
    const done = await saveOn(scene, { ...SAVE(argv), answer: replay(answers, (message) => scene.act(message)) })
    const ours = calls(done.libxl.heard, scene.domId)
    if (exit === 0) expect(ours).toEqual(calls(said, domIdIn(argv)))
    else expect(ours.slice(0, calls(said, domIdIn(argv)).length)).toEqual(calls(said, domIdIn(argv))) // libxl was killed
    expect(done.exit === 0).toBe(exit === 0)
  })

  const restores: readonly (readonly [name: string, spec: Omit<GuestSpec, 'name'>, bytes: (scene: MockScene) => Promise<Uint8Array>])[] = [
    ['pv-restore', { kind: 'pv' }, async (scene) => (await saveOn(scene)).bytes],
    ['hvm-restore', { kind: 'hvm' }, async (scene) => (await saveOn(scene)).bytes],
    ['hvm-restore-cut', { kind: 'hvm' }, async (scene) => (await saveOn(scene)).bytes.subarray(0, 3_000_000)],
    ['hvm-migrated-restore', { kind: 'hvm' }, async (scene) => (await saveOn(scene, { flags: 1 })).bytes],
    ['hvm-remus-restore', busy, (scene) => remus(scene, 10)],
  ]
  it.each(restores)('%s', async (name, spec, bytes) => {
    const { argv, answers, said } = recording(name)
    const scene = await mockScene(spec)
    const { exit, libxl } = await restoreOf(scene, await bytes(scene), { ...RESTORE(argv), answer: replay(answers) })
    expect(exit).toBe(0)
    const failed = callsOf(said).some(({ name, values }) => name === 'complete' && values.result !== 0)
    expect(calls(failed ? libxl.heard.slice(0, -1) : libxl.heard, 0)).toEqual(calls(failed ? said.filter(({ name }) => name !== 'complete') : said, 0))
    if (failed) expect(libxl.heard.at(-1)).toMatchObject({ name: 'complete', values: { result: -1 } })
  })
})

async function remus(scene: MockScene, checkpoints: number): Promise<Uint8Array> {
  let made = 0
  const answer = (message: Message) => {
    if (message.name === 'checkpoint') made++
    return message.name === 'suspend' && made === checkpoints ? 0 : scene.act(message)
  }
  return (await saveOn(scene, { flags: 1, stream: 1, answer })).bytes
}
