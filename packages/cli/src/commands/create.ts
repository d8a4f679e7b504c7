import { createRequest } from '../domains/create-request.ts'
import { withToolstack } from '../domains/with-toolstack.ts'
import { exitCodes } from '../exit-codes.ts'
import { writeDocument } from '../output/json.ts'
import type { Verb } from './command.ts'

export const verb: Verb = {
  args: [{ name: 'NAME', what: 'name of the new guest' }],
  options: [
    { flags: '--type <TYPE>', what: 'how it runs', choices: ['pv', 'pvh', 'hvm'], standard: 'pv' },
    { flags: '--memory <SIZE>', what: 'its memory; a bare number is MiB', standard: '64MiB' },
    { flags: '--vcpus <N>', what: 'its vCPUs', standard: '1' },
    { flags: '--width <BITS>', what: 'word size of a pv guest', choices: ['32', '64'], standard: '64' },
    { flags: '--workload <NAME>', what: 'what it does: idle, counter, uniform, zipf, sequential or database', standard: 'counter' },
    { flags: '--rate <N>', what: 'operations of the workload a second' },
    { flags: '--seed <N>', what: 'a number that makes it the same each time' },
    { flags: '--set <NAME=VALUE>', what: 'what else the backend knows of a new guest; may be given several times', many: true },
  ],
  host: true,
  about: [
    'Makes a guest out of nothing and lets it run, on backends that can: the simulated host. Guests of Xen are made with xl.',
    'A simulated guest has memory, page tables, vCPUs and devices as a real one has, and a workload that changes its memory. It runs as time passes, also while no xr does.',
  ],
  examples: [['xr --mock-host /tmp/a create demo --memory 64MiB --type hvm --workload counter', 'a guest to try things with']],
  run: async (ctx, [name = ''], options) =>
    withToolstack(ctx, options, async ({ stack, T }) => {
      const request = createRequest(name, options)
      const id = await (await stack.get(T.create))(request)
      if (ctx.json) await writeDocument(ctx.stdout, 'xr.create/1', { id, name, type: request.kind })
      else await ctx.stdout.write(`${name} runs, domain ${id}\n`)
      return exitCodes.done
    }),
}
