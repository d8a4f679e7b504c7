import type { Clock } from '@xen-replication/plugin-api'
import { openQmp } from '@xen-replication/qmp'
import type { SocketPlace } from './plan.ts'
import type { Monitors } from './set-up.ts'

/** Monitors of a pair, to be closed in the end. */
export interface OpenMonitors extends Monitors {
  /** UUID of the primary's guest; all zeros where none was given to it. */
  readonly guest: string
  close(): void
}

/** Connects to both QEMUs. @param answerMs longest wait for each answer, in milliseconds @throws QmpError */
export async function openMonitors(places: Readonly<Record<'primary' | 'secondary', SocketPlace>>, clock: Clock, answerMs: number): Promise<OpenMonitors> {
  const open = (place: SocketPlace): ReturnType<typeof openQmp> => openQmp('path' in place ? place.path : place, { clock, answerMs })
  const primary = await open(places.primary)
  try {
    const told = (await primary.execute('query-uuid')) as { readonly UUID?: unknown }
    const secondary = await open(places.secondary)
    const close = (): void => {
      primary.close()
      secondary.close()
    }
    return { primary, secondary, guest: String(told.UUID), close }
  } catch (error) {
    primary.close()
    throw error
  }
}
