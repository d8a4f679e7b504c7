import type { StoodIn } from '@xen-replication/toolstack'
import { withToolstack } from '../domains/with-toolstack.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Verb } from './command.ts'

export const verb: Verb = {
  args: [{ name: 'PID', what: 'process of the xr that protects a guest' }],
  options: [],
  host: true,
  about: ['Waits until the process that started it has ended. Where that has left a guest which the backup may run by now, the guest stands until it is decided which side has it.'],
  examples: [],
  run: (ctx, [pid = ''], options) =>
    withToolstack(ctx, options, async ({ stack, T }) => {
      const standIn = await stack.get(T.standIn) // all is loaded by the time it is needed
      await ctx.starterEnded?.()
      const stoodIn = await standIn({ pid: Number(pid) }, ctx.signal)
      if (stoodIn !== undefined) ctx.stderr.writeNow(`xr: ${outcome(stoodIn)}\n`)
      return exitCodes.done
    }),
}

function outcome({ guests, fate }: StoodIn): string {
  const names = guests.join(', ')
  const ends = { runs: `${names} runs on here, unprotected`, gone: `${names} is gone from here, the other side has won it`, paused: `${names} stays paused here` }
  return `the process that protected ${names} is gone: ${ends[fate]}`
}
