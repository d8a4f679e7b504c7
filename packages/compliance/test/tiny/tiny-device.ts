import type { CheckpointDevice } from '@xen-replication/hypervisor'
import type { DeviceBench } from '@xen-replication/compliance'

interface Held {
  readonly epoch: number
  readonly what: string
}

/** A device that holds words back, with a fault to be found. */
export function tinyDevice(fault = ''): DeviceBench {
  const is = (name: string): boolean => fault === name
  const seen: string[] = []
  let held: Held[] = []
  let holding = is('always-holds')
  let epoch = 0
  let count = 0
  const let_ = (out: (one: Held) => boolean): void => {
    const gone = held.filter(out)
    held = held.filter((one) => !out(one))
    seen.push(...(is('reversed') ? gone.toReversed() : gone).map(({ what }) => what))
  }
  const device: CheckpointDevice = {
    name: 'tiny',
    kind: 'network',
    setup: () => done(() => {
      holding = true
      if (!is('epochs-go-on')) epoch = 0
    }),
    postsuspend: (number) => done(() => {
      if (is('early')) let_(() => true)
      if (!is('one-epoch') || number > 0) epoch = is('epochs-go-on') ? epoch + 1 : number + 1
    }),
    preresume: () => done(() => undefined),
    commit: (number) => done(() => {
      if (is('refuses-empty') && !held.some((one) => one.epoch <= number)) throw new Error('nothing there')
      if (is('commits-all-again') && number === 0 && seen.length > 0) let_(() => true)
      if (is('commits-last')) let_(() => true)
      else let_((one) => (is('commits-exactly') ? one.epoch === number : one.epoch <= number))
    }),
    waiting: () => Promise.resolve(held.length),
    teardown: (how) => done(() => {
      if (how === 'release' || is('never-drops')) let_(() => true)
      if (!is('release-loses') || how === 'drop') held = is('keeps-dropped') ? held : []
      holding = is('holds-on')
    }),
  }
  const emit = (): Promise<string> => {
    const what = `word ${++count}`
    if (holding) held.push({ epoch, what })
    else seen.push(what)
    return Promise.resolve(what)
  }
  return { device, emit, seen: () => Promise.resolve([...seen]), close: () => Promise.resolve() }
}

function done(work: () => void): Promise<void> {
  return new Promise((resolve) => resolve(work()))
}
