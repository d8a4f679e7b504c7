import { defineRole, definePlugin, wordWait, type Strategy } from '@xen-replication/plugin-api'
import { intervalWait } from './effects.ts'
import { remusOptions, requireSafe } from './options.ts'
import { primaryTable } from './primary.ts'
import { secondaryTable } from './secondary.ts'

/** Continuous checkpoints: the backup is always one acknowledged epoch behind, and nothing of a later one has been seen outside. */
export const remus: Strategy = {
  summary: 'Continuous checkpoints to a backup; output is held back until the backup has acknowledged the state it came from.',
  options: remusOptions,
  needs: ({ kind, options }) => {
    requireSafe(options)
    return [
      'fast-resume',
      kind === 'pv' ? 'log-dirty-pv' : 'log-dirty-hvm',
      ...(kind === 'hvm' ? ['device-model' as const] : []),
      ...(options['no-netbuf'] === true ? [] : ['network-buffer' as const]),
      ...(options['no-diskbuf'] === true ? [] : ['disk-epochs' as const]),
    ]
  },
  primary: defineRole({
    table: primaryTable,
    start: 'start',
    begin: 'begin',
    lost: 'peer-lost',
    effects: (ports) => ({
      copied: () => Promise.resolve('copied'),
      done: () => Promise.resolve('done'),
      'wait-interval': intervalWait(ports),
      'await-word': wordWait(ports),
    }),
  }),
  secondary: defineRole({
    table: secondaryTable,
    start: 'start',
    begin: 'begin',
    lost: 'peer-lost',
    effects: (ports) => ({ done: () => Promise.resolve('done'), ran: () => Promise.resolve('ran'), 'await-word': wordWait(ports) }),
  }),
}

/** The strategy `remus` as a plugin. */
export const remusPlugin = definePlugin({ name: '@xen-replication/remus', api: 1, contribute: (to) => to.strategy('remus', remus) })
