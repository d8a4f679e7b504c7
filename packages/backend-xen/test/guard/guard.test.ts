import { describe, expect, it } from 'vitest'
import type { DomId } from '@xen-replication/hypervisor'
import { Guard, type StartGuard } from '../../src/guard/guard.ts'
import { relieve } from '../../src/guard/relieve.ts'
import { XenGuestForSave } from '../../src/guest-for-save.ts'
import { fakePlatform } from '../fakes/fake-platform.ts'

const DOM = 5 as DomId
const [LOG, MODEL] = [1, 2]

/** A guard's process that writes down what it hears. */
function listening() {
  const heard: (number | string)[] = []
  const start: StartGuard = (domId) => {
    heard.push(`for ${domId}`)
    return Promise.resolve({ tell: (duties) => void heard.push(duties), end: () => void heard.push('end') })
  }
  return { heard, start }
}

function host() {
  const platform = fakePlatform()
  const ops: unknown[] = []
  platform.hypercalls
    .on('info', ({ answer }) => answer({ domain: DOM, flags: 2, emulation: 0x3f, maxVcpuId: 0, sharedInfoFrame: 7n }))
    .on('shadowOp', ({ fields }) => {
      ops.push(fields['op'])
      return 0
    })
  return { platform, ops }
}

describe('a guard', () => {
  it('is started with the first duty and told of each change', async () => {
    const { heard, start } = listening()
    const guard = new Guard(DOM, start)
    guard.drop('log-dirty')
    await guard.hold('device-model-log-dirty')
    await guard.hold('log-dirty')
    guard.drop('log-dirty')
    guard.drop('device-model-log-dirty')
    guard.close()
    guard.close()
    expect(heard).toEqual(['for 5', MODEL, MODEL + LOG, MODEL, 0, 'end'])
  })

  it('knows of writes being followed before they are, and until they are no more', async () => {
    const { platform, ops } = host()
    const { heard, start } = listening()
    const guest = new XenGuestForSave(platform, DOM, { scratchDir: '/nowhere', destroy: () => Promise.resolve(), startGuard: start })
    platform.hypercalls.on('shadowOp', ({ fields }) => {
      ops.push(fields['op'], heard.at(-1))
      return 0
    })
    await guest.deviceModel?.logDirty('on')
    await guest.dirty.enable()
    await guest.close()
    expect(ops).toEqual([2, LOG + MODEL, 0, LOG + MODEL])
    expect(heard.slice(-2)).toEqual([0, 'end'])
  })

  it('has nothing to do where writes cannot be followed', async () => {
    const { platform } = host()
    const { heard, start } = listening()
    platform.hypercalls.on('shadowOp', () => -22)
    const guest = new XenGuestForSave(platform, DOM, { scratchDir: '/nowhere', destroy: () => Promise.resolve(), startGuard: start })
    await expect(guest.dirty.enable()).rejects.toMatchObject({ code: 'BACKEND_LOG_DIRTY' })
    expect(heard.at(-1)).toBe(0)
  })
})

describe('what a process that was killed has left', () => {
  it('is undone, as far as it was changed', async () => {
    const { platform, ops } = host()
    await relieve(platform, DOM, MODEL)
    expect([ops, platform.model.commands.length]).toEqual([[], 1])
    await relieve(platform, DOM, LOG + MODEL)
    expect(ops).toEqual([0])
    expect(platform.model.commands.at(-1)).toMatch(/^xen-set-global-dirty-log.*false/)
  })

  it('needs nothing when the guest is gone as well', async () => {
    const { platform } = host()
    platform.hypercalls.on('shadowOp', () => -3)
    const gone = { ...platform, qmp: () => Promise.reject(new Error('no such socket')) }
    await expect(relieve(gone, DOM, LOG + MODEL)).resolves.toBeUndefined()
  })
})
