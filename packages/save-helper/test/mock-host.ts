import { createMockHost, virtualClock, type GuestSpec, type MockHost } from '@xen-replication/backend-mock'
import { sinkOfBytes, sourceOfBytes, type ByteSink } from '@xen-replication/format'
import type { DomId, GuestForSave } from '@xen-replication/hypervisor'
import type { HelperHost } from '../src/helper-host.ts'
import { parseArguments } from '../src/parse-arguments.ts'
import type { Message } from '../src/protocol/message.ts'
import { runHelper, type HelperScene } from '../src/run-helper.ts'
import { ScriptedLibxl, type Answer } from './scripted-libxl.ts'

/** A simulated host with one guest, and the part of libxl that acts on it. */
export interface MockScene {
  readonly mock: MockHost
  readonly domId: DomId
  readonly host: HelperHost
  /** Emulator state that was taken when the guest was last suspended. */
  modelState: Uint8Array
  /** Does what libxl does for a message of the helper. */
  act(message: Message): Promise<number>
}

/** @param target name and configuration of the guest that a restore makes; the domain number libxl gives is not looked at. */
function helperHost(mock: MockHost, domId: DomId, target: () => { name: string; kind: GuestSpec['kind']; config: string; modelState: Uint8Array }): HelperHost {
  return {
    openForSave: () => mock.openForSave(domId),
    openForRestore: async (_, rings) => {
      const { modelState, ...request } = target()
      const guest = await mock.openForRestore(request)
      if (guest.deviceModel !== undefined && modelState.length > 0) await guest.deviceModel.setState(modelState)
      const { memory, cpu, lifecycle, pv, deviceModel } = guest
      return { get facts() { return guest.facts }, memory, cpu, lifecycle, pv, deviceModel, rings, complete: (frames) => guest.complete(frames), close: () => guest.close() }
    },
    close: () => Promise.resolve(),
  }
}

export async function mockScene(spec: Omit<GuestSpec, 'name'>): Promise<MockScene> {
  const mock = createMockHost({ clock: virtualClock(), seed: 3 })
  const domId = await mock.createGuest({ name: 'guest', memoryBytes: 10 << 20, ...spec })
  await mock.advance(1500)
  const host = helperHost(mock, domId, () => { throw new Error('nothing to restore here') })
  const scene: MockScene = { mock, domId, host, modelState: new Uint8Array(0), act: async (message) => actOf(scene)[message.name]?.(message) ?? 0 }
  return scene
}

function actOf(scene: MockScene): Partial<Record<Message['name'], (message: Message) => Promise<number>>> {
  const { mock, domId } = scene
  const withGuest = async (work: (guest: GuestForSave) => Promise<unknown>): Promise<void> => {
    const guest = await mock.openForSave(domId)
    await work(guest)
    await guest.close()
  }
  return {
    suspend: async () => {
      await withGuest(async ({ lifecycle, deviceModel }) => {
        await lifecycle.suspend()
        if (deviceModel !== undefined) scene.modelState = await deviceModel.state()
      })
      return 1
    },
    postcopy: async () => {
      await mock.lifecycle(domId).resume('cancelled')
      return 1
    },
    checkpoint: async () => {
      await mock.advance(200)
      return 1
    },
  }
}

/** What came of a helper's work. */
export interface Done {
  readonly exit: number
  readonly bytes: Uint8Array
  readonly libxl: ScriptedLibxl
}

const SAVE_CALLBACKS = 184
const RESTORE_CALLBACKS = 800

/** Saves with arguments as libxl gives them: `flags`, `cbflags`, `stream_type`. */
export async function saveOn(scene: MockScene, { flags = 0, stream = 0, options = [] as string[], answer = (message: Message) => scene.act(message), sink = undefined as ByteSink | undefined, ...rest }: SaveWishes = {}): Promise<Done> {
  const out = sinkOfBytes()
  const libxl = new ScriptedLibxl(answer)
  const argv = [...options, '--save-domain', '14', '-1', String(scene.domId), String(flags), String(SAVE_CALLBACKS), String(stream)]
  const exit = await run({ pipes: libxl, openHost: () => Promise.resolve(scene.host), openSink: () => Promise.resolve(sink ?? out), ...rest }, argv)
  return { exit, bytes: out.bytes(), libxl }
}

export interface SaveWishes extends Partial<HelperScene> {
  readonly flags?: number
  readonly stream?: number
  readonly options?: string[]
  readonly answer?: Answer
  readonly sink?: ByteSink
}

/** Restores on a host of its own what was saved of a scene's guest. */
export async function restoreOf(scene: MockScene, bytes: Uint8Array, { stream = 0, answer = () => 0 }: { stream?: number; answer?: Answer } = {}): Promise<Done & { readonly mock: MockHost }> {
  const mock = createMockHost({ clock: virtualClock(), seed: 99 })
  const { kind } = (await scene.mock.list())[0] as { kind: GuestSpec['kind'] }
  const config = await scene.mock.config(scene.domId)
  const host = helperHost(mock, scene.domId, () => ({ name: 'guest', kind, config, modelState: scene.modelState }))
  const libxl = new ScriptedLibxl(answer)
  const argv = ['--restore-domain', '12', '-1', '5', '1', '0', '2', '0', String(RESTORE_CALLBACKS), String(stream)]
  const exit = await run({ pipes: libxl, openHost: () => Promise.resolve(host), openSource: () => sourceOfBytes(bytes) }, argv)
  return { exit, bytes, libxl, mock }
}

function run(scene: Partial<HelperScene> & Pick<HelperScene, 'pipes' | 'openHost'>, argv: readonly string[]): Promise<number> {
  const command = parseArguments(argv, undefined)
  if (command.ask !== 'job') throw new Error('no job')
  const unused = (): never => { throw new Error('not part of this job') }
  return runHelper({ openSink: unused, openSource: unused, signal: new AbortController().signal, ...scene }, command.job)
}

/** Contents of a guest by pfn; page tables of PV guests hold frames of their host and are left out. */
export function memoryOf(mock: MockHost, domId: DomId): Promise<Map<number, string>> {
  return mock.inspect(domId, (view) => {
    const pages = new Map<number, string>()
    for (let pfn = 0; pfn < view.top; pfn++) {
      const page = view.page(pfn)
      if (page !== undefined && view.type(pfn) === 0) pages.set(pfn, Buffer.from(page).toString('base64'))
    }
    return pages
  })
}
