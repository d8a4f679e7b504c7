import type { Clock, HypervisorBackend } from '@xen-replication/hypervisor'
import type { Observer } from '@xen-replication/plugin-api'
import type { Links } from './links/links.ts'
import type { createGuest, destroyGuest, listGuests } from './operations/domains.ts'
import type { Host } from './operations/host.ts'
import type { migrateGuest } from './operations/migrate.ts'
import type { Operations, Registry } from './operations/operation.ts'
import type { receiveImage } from './operations/receive-image.ts'
import type { receiveGuest } from './operations/receive.ts'
import type { restoreGuest } from './operations/restore.ts'
import type { saveGuest } from './operations/save.ts'
import type { sendImage } from './operations/send-image.ts'
import type { standIn } from './operations/stand-in.ts'
import type { Collected } from './plugins/collect-plugins.ts'
import type { replicateGuests } from './replicate/replicate.ts'
import type { LeftNotes } from './running/left-notes.ts'

/** A name under which the container has something, and what that is. */
export type Token<T> = symbol & { readonly gives?: T }

/** An operation whose host is the container's to know. */
export type Bound<Work> = Work extends (host: Host, ...rest: infer Rest) => infer Result ? (...rest: Rest) => Result : never

/** Names are global, so that they mean the same in every copy of this package. */
const token = <T>(name: string): Token<T> => Symbol.for(`@xen-replication/${name}`)

/** All that a toolstack is made of. */
export const T = {
  collected: token<Collected>('Collected'),
  backend: token<HypervisorBackend>('Backend'),
  clock: token<Clock>('Clock'),
  links: token<Links>('Links'),
  observer: token<Observer>('Observer'),
  registry: token<Registry>('Registry'),
  notes: token<LeftNotes>('Notes'),
  operations: token<Operations>('Operations'),
  host: token<Host>('Host'),
  list: token<Bound<typeof listGuests>>('List'),
  create: token<Bound<typeof createGuest>>('Create'),
  destroy: token<Bound<typeof destroyGuest>>('Destroy'),
  save: token<Bound<typeof saveGuest>>('Save'),
  restore: token<Bound<typeof restoreGuest>>('Restore'),
  migrate: token<Bound<typeof migrateGuest>>('Migrate'),
  replicate: token<Bound<typeof replicateGuests>>('Replicate'),
  standIn: token<Bound<typeof standIn>>('StandIn'),
  receive: token<Bound<typeof receiveGuest>>('Receive'),
  sendImage: token<Bound<typeof sendImage>>('SendImage'),
  receiveImage: token<Bound<typeof receiveImage>>('ReceiveImage'),
} as const
