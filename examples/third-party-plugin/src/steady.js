import { defineRole, go } from '@xen-replication/plugin-api'

/** @import { EffectPorts, Strategy } from '@xen-replication/plugin-api' */

const lost = go('arbitrating', 'arbitrate')
const checkpoint = go('sent', 'suspend', 'postsuspend', 'stage', 'preresume', 'resume', 'send-staged', 'expect')
const stopped = go('stopped', 'release-guest')
const kept = go('holding', 'store', 'apply', 'send:stored', 'read-checkpoint')

const primary = defineRole({
  table: {
    start: { begin: go('sent', 'precopy', 'suspend', 'postsuspend', 'stage', 'preresume', 'resume', 'send-staged', 'expect') },
    sent: { stored: go('resting', 'commit', 'rest'), 'peer-lost': lost },
    resting: { rested: checkpoint, stop: stopped, 'peer-lost': lost },
    arbitrating: { won: go('alone', 'take-over'), lost: go('yielded', 'destroy') },
    alone: {},
    yielded: {},
    stopped: {},
  },
  start: 'start',
  begin: 'begin',
  lost: 'peer-lost',
  effects: (ports) => ({ rest: resting(ports) }),
})

const secondary = defineRole({
  table: {
    start: { begin: go('base', 'read-checkpoint') },
    base: { 'checkpoint-read': kept, 'peer-lost': go('failed', 'destroy') },
    holding: { 'checkpoint-read': kept, 'peer-lost': go('arbitrating', 'drop', 'arbitrate') },
    arbitrating: { won: go('active', 'take-over'), lost: go('failed', 'destroy') },
    active: {},
    failed: {},
  },
  start: 'start',
  begin: 'begin',
  lost: 'peer-lost',
  effects: () => ({}),
})

/**
 * Rests after each checkpoint so long that checkpoints take `share` percent of the time, however long they take.
 *
 * @param {EffectPorts} ports
 */
function resting({ clock, options, request, signal }) {
  const share = Number(options['share'])
  const most = Number(options['most'])
  let rested = clock.now()
  return async () => {
    const took = clock.now() - rested
    await clock.sleep(Math.min((took * (100 - share)) / share, most), signal)
    rested = clock.now()
    return request() === 'stop' ? /** @type {const} */ ('stop') : /** @type {const} */ ('rested')
  }
}

/**
 * Checkpoints as often as the link allows: they take a steady share of the time.
 *
 * @type {Strategy}
 */
export const steady = {
  summary: 'checkpoints that take a steady share of the time',
  options: [
    { name: 'share', unit: 'count', fallback: 20, least: 1, most: 100, summary: 'time for checkpoints, in percent', source: 'leaves the guest four fifths' },
    { name: 'most', unit: 'ms', fallback: 1000, least: 1, most: 60_000, summary: 'longest rest between two', source: 'a second of output is held back' },
  ],
  needs: () => ['fast-resume'],
  primary,
  secondary,
}
