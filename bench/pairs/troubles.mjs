// What goes wrong with a pair, for bench/pairs.mjs. Each is done at its moment; times are drawn from the seed.
import { setTimeout as sleep } from 'node:timers/promises'

/** What a trouble does: `pair` of pair.mjs, `draw(from, to)` a number of milliseconds, `etcd` where that is the arbiter. */
export const troubles = {
  'kill -9 of the primary, with its host': { weight: 5, timed: true, run: ({ pair }) => pair.loseHost('a', pair.a) },
  'kill -9 of the primary, whose host lives': { weight: 4, timed: true, run: ({ pair }) => pair.a.child.kill('SIGKILL') },
  'kill -9 of the backup, with its host': { weight: 3, run: ({ pair }) => pair.loseHost('b', pair.b) },
  'kill -9 of the backup, whose host lives': { weight: 3, run: ({ pair }) => pair.b.child.kill('SIGKILL') },
  'the primary hangs and wakes up': { weight: 3, run: hang('a') },
  'the backup hangs and wakes up': { weight: 2, run: hang('b') },
  'nothing passes any more': { weight: 3, run: ({ pair }) => pair.link.set('both', { blocked: true }) },
  'nothing passes for a while': { weight: 2, run: (what) => blocked('both', what) },
  'half open: nothing passes to the backup': { weight: 2, run: ({ pair }) => pair.link.set('there', { blocked: true }) },
  'half open: nothing passes to the primary': { weight: 3, run: ({ pair }) => pair.link.set('back', { blocked: true }) },
  'half open for a while': { weight: 2, run: (what) => blocked(what.draw(0, 2) < 1 ? 'there' : 'back', what) },
  'delay that grows and goes away': {
    weight: 3,
    run: async ({ pair, draw }) => {
      pair.link.set('both', { delayMs: draw(20, 400) })
      await sleep(draw(200, 1200))
      pair.link.set('both', { delayMs: 0 })
      await sleep(draw(0, 300))
      pair.link.reset()
    },
  },
  'a link that gets slow': {
    weight: 2,
    run: async ({ pair, draw }) => {
      pair.link.set('both', { bytesPerMs: draw(20, 400) })
      await sleep(draw(200, 1500))
      await pair.loseHost('a', pair.a)
    },
  },
  'a reset of the link': { weight: 2, run: ({ pair }) => pair.link.reset() },
  'an orderly end of the link': { weight: 1, run: ({ pair }) => pair.link.end() },
  'both hang, one after the other': {
    weight: 1,
    run: async (what) => {
      const second = sleep(what.draw(0, 300)).then(() => hang('b')(what))
      await Promise.all([hang('a')(what), second])
    },
  },
  'the link breaks, then the host of the primary': {
    weight: 2,
    run: async ({ pair, draw }) => {
      pair.link.set('both', { blocked: true })
      await sleep(draw(0, 500))
      await pair.loseHost('a', pair.a)
    },
  },
}

/** What befalls the arbiter at the same time. */
export const arbiterTroubles = {
  'etcd is stopped and started': async ({ etcd, draw }) => {
    await etcd.stop()
    await sleep(draw(100, 2500))
    await etcd.start()
  },
  'etcd hangs': async ({ etcd, draw }) => {
    etcd.hang()
    await sleep(draw(100, 4000))
    etcd.goOn()
  },
}

/** What operators type at the same time. */
export const words = {
  'xr failover on the primary': ({ pair, names }) => pair.type('a', 'failover', names[0]),
  'xr failover on the backup': ({ pair, names }) => pair.type('b', 'failover', names[0]),
  'xr abort on the primary': ({ pair, names }) => pair.type('a', 'abort', names[0]),
  'xr abort on the backup': ({ pair, names }) => pair.type('b', 'abort', names[0]),
}

function hang(side) {
  return async ({ pair, draw }) => {
    pair[side].child.kill('SIGSTOP')
    await sleep(draw(50, 2500))
    pair[side].child.kill('SIGCONT')
  }
}

async function blocked(way, { pair, draw }) {
  pair.link.set(way, { blocked: true })
  await sleep(draw(50, 1500))
  pair.link.set(way, { blocked: false })
}
