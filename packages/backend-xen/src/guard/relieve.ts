import type { Platform } from '../platform/platform.ts'
import { DUTIES } from './guard.ts'

/** XEN_DOMCTL_SHADOW_OP_OFF. */
const OFF = 0

/** Undoes what a process that is gone changed about a guest, as far as there is still something to undo. @param duties a sum of DUTIES. */
export async function relieve(platform: Platform, domId: number, duties: number): Promise<void> {
  if ((duties & DUTIES['runs-along']) !== 0) platform.domctl.try(domId, 'pause', {})
  if ((duties & DUTIES['log-dirty']) !== 0) platform.domctl.try(domId, 'shadowOp', { op: OFF })
  if ((duties & DUTIES['device-model-log-dirty']) !== 0) await deviceModelOff(platform, domId).catch(() => undefined) // it has ended, or another toolstack speaks to it
}

async function deviceModelOff(platform: Platform, domId: number): Promise<void> {
  const qmp = await platform.qmp(domId)
  try {
    await qmp.execute('xen-set-global-dirty-log', { enable: false })
  } finally {
    qmp.close()
  }
}
