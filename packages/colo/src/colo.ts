import { definePlugin, defineRole, wordWait, type Strategy } from '@xen-replication/plugin-api'
import { watching } from './effects.ts'
import { coloNeeds, coloOptions } from './options.ts'
import { primaryTable } from './primary.ts'
import { secondaryTable } from './secondary.ts'

/** Lock-stepping: the guest runs on both hosts, what both send leaves at once, and a checkpoint makes them the same when they differ. */
export const colo: Strategy = {
  summary: 'The guest runs on both hosts; output leaves when both have sent the same, and a checkpoint is taken when they have not.',
  options: coloOptions,
  needs: coloNeeds,
  primary: defineRole({
    table: primaryTable,
    start: 'start',
    begin: 'begin',
    lost: 'peer-lost',
    effects: (ports) => {
      const { awaitDivergence, noteAsked } = watching(ports)
      return {
        copied: () => Promise.resolve('copied'),
        done: () => Promise.resolve('done'),
        'await-divergence': awaitDivergence,
        'note-asked': noteAsked,
        'await-word': wordWait(ports),
      }
    },
  }),
  secondary: defineRole({
    table: secondaryTable,
    start: 'start',
    begin: 'begin',
    lost: 'peer-lost',
    effects: (ports) => ({ done: () => Promise.resolve('done'), ran: () => Promise.resolve('ran'), 'await-word': wordWait(ports) }),
  }),
}

/** The strategy `colo` as a plugin. */
export const coloPlugin = definePlugin({ name: '@xen-replication/colo', api: 1, contribute: (to) => to.strategy('colo', colo) })
