import type { RestoreObserver, SaveObserver } from '@xen-replication/libxc-stream'
import type { Emit } from './fan-out.ts'
import { outlookWatch } from './outlook.ts'

/** Passes on what a save tells, and adds what follows from it. */
export function tellSave(emit: Emit, now: () => number): SaveObserver {
  const watch = outlookWatch(now)
  return (event) => {
    const outlook = watch(event)
    switch (event.type) {
      case 'pass-begin':
        return emit('save.pass-begin', event)
      case 'pages':
        return emit('save.pages', event)
      case 'pass-end':
        return emit('save.pass-end', event)
      case 'dirty':
        emit('save.dirty', event)
        return outlook === undefined ? undefined : emit('save.outlook', outlook)
      case 'trouble':
        return emit('save.trouble', event)
    }
  }
}

/** Passes on what a restore tells. */
export function tellRestore(emit: Emit): RestoreObserver {
  return (event) => {
    if (event.type === 'pages') emit('restore.pages', { pages: event.contents, bytes: event.bytes })
    if (event.type === 'checkpoint') emit('restore.checkpoint', { number: event.epoch, bytes: event.bytes })
  }
}
