import type { AbortSignalLike, Clock, HypervisorBackend } from '@xen-replication/hypervisor'
import type { Observer, Plugin, Settings } from '@xen-replication/plugin-api'
import type { Container, ContainerModuleLoadOptions } from 'inversify'
import { randomUUID } from 'node:crypto'
import { linksOver } from './links/links.ts'
import { fanOut } from './observe/fan-out.ts'
import { createGuest, destroyGuest, listGuests } from './operations/domains.ts'
import type { Host } from './operations/host.ts'
import { migrateGuest } from './operations/migrate.ts'
import { createOperations, type Operations, type Registry } from './operations/operation.ts'
import { receiveImage } from './operations/receive-image.ts'
import { receiveGuest } from './operations/receive.ts'
import { restoreGuest } from './operations/restore.ts'
import { saveGuest } from './operations/save.ts'
import { sendImage } from './operations/send-image.ts'
import { standIn } from './operations/stand-in.ts'
import { collectPlugins, type Collected, type Found } from './plugins/collect-plugins.ts'
import { replicateGuests } from './replicate/replicate.ts'
import { noNotes, type LeftNotes } from './running/left-notes.ts'
import { T, type Bound, type Token } from './tokens.ts'

export interface ComposeRequest {
  /** Name of the backend. It is opened when something needs it. */
  readonly backend: string
  /** What backends and observers are told. */
  readonly settings: Settings
  readonly plugins: readonly Plugin[]
  /** The caller's own, beside those that plugins bring. */
  readonly observers?: readonly Observer[] | undefined
  readonly clock: Clock
  readonly registry: Registry
  /** Guests that dead processes protected; none where nothing is said. */
  readonly notes?: LeftNotes | undefined
  /** Ends the opening of the backend. */
  readonly signal: AbortSignalLike
}

/** Where everything meets. */
export interface Toolstack {
  /** @throws PluginError PLUGIN_NO_BACKEND; what opening the backend throws, where that is needed for it */
  get<V>(token: Token<V>): Promise<V>
  /** Closes what was opened. Never throws. */
  close(): Promise<void>
}

/**
 * Puts a toolstack together. Plugins that get in each other's way are found here, before a guest is touched.
 *
 * @throws PluginError PLUGIN_DUPLICATE, PLUGIN_MALFORMED, PLUGIN_API, PLUGIN_LOAD, PLUGIN_NO_BACKEND
 */
export async function compose(request: ComposeRequest): Promise<Toolstack> {
  const collected = collectPlugins(request.plugins)
  const chosen = collected.need('backend', request.backend)
  const { Container, ContainerModule } = await import('inversify') // takes longer to load than most verbs to run
  const opened: { close(): Promise<void> }[] = []
  const keep = <C extends { close(): Promise<void> }>(made: C): C => {
    opened.unshift(made)
    return made
  }
  const container = new Container({ defaultScope: 'Singleton' })
  await container.loadAsync(
    new ContainerModule((options) => bindParts(options, request, collected, chosen, keep)),
    new ContainerModule(bindOperations),
  )
  return {
    get: (token) => container.getAsync(token),
    close: async () => {
      await Promise.allSettled(opened.splice(0).map((one) => one.close()))
      await unbind(container)
    },
  }
}

type Keep = <C extends { close(): Promise<void> }>(made: C) => C

function bindParts({ bind }: ContainerModuleLoadOptions, { clock, observers = [], registry, notes = noNotes, settings, signal }: ComposeRequest, collected: Collected, chosen: Found<'backend'>, keep: Keep): void {
  bind<Collected>(T.collected).toConstantValue(collected)
  bind<Clock>(T.clock).toConstantValue(clock)
  bind<Registry>(T.registry).toConstantValue(registry)
  bind<LeftNotes>(T.notes).toConstantValue(notes)
  bind(T.links).toResolvedValue(linksOver, [T.collected])
  bind<HypervisorBackend>(T.backend).toDynamicValue(async () => keep(await chosen.what.open(settings, signal)))
  bind<Observer>(T.observer).toDynamicValue(async () => {
    const theirs = await Promise.all(collected.of('observer').map(({ what }) => what.open(settings)))
    return keep(fanOut([...observers, ...theirs.filter((one) => one !== undefined)]))
  })
  bind<Operations>(T.operations).toResolvedValue(
    (time: Clock, observer: Observer, list: Registry) => createOperations({ clock: time, observer, registry: list, newId: () => randomUUID().slice(0, 8) }),
    [T.clock, T.observer, T.registry],
  )
}

function bindOperations({ bind }: ContainerModuleLoadOptions): void {
  bind<Host>(T.host).toResolvedValue((backend: HypervisorBackend, links: Host['links'], operations: Operations, clock: Clock, collected: Collected, notes: LeftNotes): Host => ({ backend, links, operations, clock, collected, notes }), [T.backend, T.links, T.operations, T.clock, T.collected, T.notes])
  const operation = <Work extends (host: Host, ...rest: never[]) => unknown>(token: Token<Bound<Work>>, work: Work): void => {
    bind(token).toResolvedValue((host: Host) => (...rest: never[]) => work(host, ...rest), [T.host])
  }
  operation(T.list, listGuests)
  operation(T.create, createGuest)
  operation(T.destroy, destroyGuest)
  operation(T.save, saveGuest)
  operation(T.restore, restoreGuest)
  operation(T.migrate, migrateGuest)
  operation(T.receive, receiveGuest)
  operation(T.sendImage, sendImage)
  operation(T.receiveImage, receiveImage)
  operation(T.replicate, replicateGuests)
  operation(T.standIn, standIn)
}

async function unbind(container: Container): Promise<void> {
  await container.unbindAllAsync().catch(() => undefined)
}
