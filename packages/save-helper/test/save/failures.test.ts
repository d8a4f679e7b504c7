import { parseFaults, withFaults } from '@xen-replication/backend-mock'
import { describe, expect, it } from 'vitest'
import { mockScene, restoreOf, saveOn } from '../mock-host.ts'

const LIVE = 1
const last = { name: 'complete', values: { result: -1, errno: 5 } }
const names = (calls: readonly { name: string }[]): string[] => calls.map(({ name }) => name)

describe('a save that fails', () => {
  it.each(['map:2=fail', 'types:3=fail', 'tsc=fail', 'take:1=fail', 'hvmContext=fail'])('tells libxl and watches memory no longer: %s', async (plan) => {
    const scene = await mockScene({ kind: 'hvm' })
    const faulty = withFaults(scene.mock, parseFaults(plan))
    const host = { ...scene.host, openForSave: () => faulty.openForSave(scene.domId) }
    const { exit, libxl } = await saveOn(scene, { flags: LIVE, openHost: () => Promise.resolve(host) })
    expect([exit, libxl.heard.at(-1)]).toEqual([0, last])
    expect(names(libxl.calls).slice(-2)).toEqual(['switchQemuLogdirty', 'complete'])
    expect(libxl.logs.some((text) => text.startsWith('8 BACKEND_'))).toBe(true)
    expect(scene.mock.leaks().filter(({ what }) => what !== 'suspended')).toEqual([])
  })

  it('because the guest does not suspend', async () => {
    const scene = await mockScene({ kind: 'pvh' })
    const { libxl } = await saveOn(scene, { answer: () => 0 })
    expect(libxl.heard.at(-1)).toEqual(last)
    expect(libxl.logs).toContain('8 HELPER_REFUSED: the guest was not suspended')
    expect(libxl.logs).toContain('6 what libxl says before this tells why')
  })

  it('because libxl says it is suspended and it is not', async () => {
    const scene = await mockScene({ kind: 'pvh' })
    const { libxl } = await saveOn(scene, { answer: ({ name }) => (name === 'suspend' ? 1 : 0) })
    expect(libxl.logs).toContainEqual(expect.stringMatching(/^8 SAVE_NOT_SUSPENDED: /))
  })

  it('because the device model does not log what it writes: nothing is written then', async () => {
    const scene = await mockScene({ kind: 'hvm' })
    const { libxl, bytes } = await saveOn(scene, { answer: () => -1 })
    expect([bytes.length, libxl.heard.at(-1)]).toEqual([0, last])
  })

  it('because the host cannot be opened', async () => {
    const scene = await mockScene({ kind: 'pv' })
    const { exit, libxl } = await saveOn(scene, { openHost: () => Promise.reject(new Error('no hypervisor\nhere')) })
    expect([exit, libxl.logs, libxl.heard.at(-1)]).toEqual([0, ['1 starting save', '8 no hypervisor here'], last])
  })

  it('because it is called off', async () => {
    const scene = await mockScene({ kind: 'hvm' })
    const stop = new AbortController()
    let writes = 0
    const sink = { write: () => { if (++writes === 3) stop.abort(); return Promise.resolve() } }
    const { libxl } = await saveOn(scene, { flags: LIVE, sink, signal: stop.signal })
    expect(libxl.heard.at(-1)).toEqual({ name: 'complete', values: { result: -1, errno: 4 } })
    expect(names(libxl.calls)).toEqual(['switchQemuLogdirty', 'switchQemuLogdirty', 'complete'])
    expect(scene.mock.leaks()).toEqual([])
  })

  it('when libxl is gone from the start', async () => {
    const scene = await mockScene({ kind: 'pv' })
    const pipes = { send: () => { throw new Error('write EPIPE') }, receive: () => undefined }
    expect((await saveOn(scene, { pipes })).exit).toBe(1)
  })
})

describe('a PV guest on a hypervisor that cannot watch its memory', () => {
  const without = async () => {
    const scene = await mockScene({ kind: 'pv' })
    const faulty = withFaults(scene.mock, parseFaults('enable=fail(BACKEND_UNSUPPORTED)'))
    return { scene, openHost: () => Promise.resolve({ ...scene.host, openForSave: () => faulty.openForSave(scene.domId) }) }
  }

  it.each([['saved live', LIVE, 0], ['replicated', LIVE, 1]] as const)('is not %s, and hears so before anything is written', async (_, flags, stream) => {
    const { scene, openHost } = await without()
    const { libxl, bytes } = await saveOn(scene, { flags, stream, openHost })
    expect([bytes.length, names(libxl.calls), libxl.heard.at(-1)]).toEqual([0, ['complete'], last])
    expect(libxl.logs).toContainEqual(expect.stringMatching(/^8 BACKEND_UNSUPPORTED: /))
    expect(scene.mock.leaks()).toEqual([])
  })

  it('is saved all the same when it stands', async () => {
    const { scene, openHost } = await without()
    expect((await saveOn(scene, { openHost })).libxl.heard.at(-1)?.values).toEqual({ result: 0, errno: 0 })
  })
})

describe('a restore that fails', () => {
  const cut = async (keep: (bytes: Uint8Array) => Uint8Array, answer = () => 0) => {
    const scene = await mockScene({ kind: 'hvm' })
    return restoreOf(scene, keep((await saveOn(scene)).bytes), { answer })
  }

  it.each([['empty', 0], ['cut in its headers', 30], ['cut in its memory', 400_000]] as const)('because the stream is %s tells libxl, with results all the same', async (_, length) => {
    const { exit, libxl, mock } = await cut((bytes) => bytes.subarray(0, length))
    expect([exit, libxl.heard.at(-1)]).toEqual([0, last])
    expect(libxl.calls.at(-2)).toEqual({ name: 'restoreResults', values: { store: 0, console: 0 } })
    expect(libxl.logs.some((text) => text.startsWith('8 XC_'))).toBe(true)
    expect(mock.leaks()).toEqual([])
  })

  it('because libxl has no CPU policy for the guest', async () => {
    const { libxl } = await cut((bytes) => bytes, () => 1)
    expect(libxl.logs).toContain('8 HELPER_REFUSED: libxl could not give the guest the CPU policy that its image lacks')
  })

})
