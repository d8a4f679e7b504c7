import { examineHost, type Examination, type Finding } from '@xen-replication/backend-xen'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { writeDocument } from '../output/json.ts'
import type { Verb } from './command.ts'

const MARKS = { ok: 'ok     ', warning: 'warning', problem: 'PROBLEM', skipped: 'skipped' } as const

export const verb: Verb = {
  args: [],
  options: [],
  about: [
    'Looks at all that xr needs of a Xen host: privileges, devices, libraries, the hypervisor and the version of its control calls, xenstore, xl, whether writes of PV guests can be tracked, device models, disks that only this host sees, and what holds packets back. Nothing is changed.',
    'Exit status: 0 when all is well or there are warnings only, 1 when there is a problem, 7 when this is no control domain of a Xen host.',
  ],
  examples: [['xr doctor', 'what keeps this host from saving, moving and replicating guests, and how to mend it']],
  run: async (ctx) => {
    const examination = await examineHost()
    if (ctx.json) await writeDocument(ctx.stdout, 'xr.doctor/1', examination)
    else await ctx.stdout.write(text(examination))
    return exitCode(examination)
  },
}

function exitCode({ host, findings }: Examination): ExitCode {
  if (host === 'elsewhere') return exitCodes.notSupported
  return findings.some(({ verdict }) => verdict === 'problem') ? exitCodes.failed : exitCodes.done
}

function text({ findings }: Examination): string {
  const counts = (['problem', 'warning'] as const).map((verdict) => findings.filter((one) => one.verdict === verdict).length)
  return `${findings.map(lines).join('')}\n${counts[0]} problem${counts[0] === 1 ? '' : 's'}, ${counts[1]} warning${counts[1] === 1 ? '' : 's'}\n`
}

function lines({ check, verdict, found, fix }: Finding): string {
  return `${MARKS[verdict]}  ${check}: ${found}\n${fix === undefined ? '' : `         fix: ${fix}\n`}`
}
