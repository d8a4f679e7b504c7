import type { BufferedVif } from './link-names.ts'
import { NetBufferError, type NetBufferErrorCode } from './net-buffer-error.ts'
import type { Ran, Run } from './run-program.ts'

/** One thing to be done with `ip` or `tc`. */
export interface Step {
  readonly program: 'ip' | 'tc'
  /** A word each. */
  readonly args: readonly string[]
  /** For people: what fails when it does. */
  readonly what: string
  /** What takes it back. */
  readonly undo?: Removal
}

/** Something to be removed with `ip` or `tc`. */
export interface Removal {
  readonly program: 'ip' | 'tc'
  readonly line: string
}

export const withoutIfb = ({ ifb }: BufferedVif): Removal => ({ program: 'ip', line: `link del dev ${ifb}` })
export const withoutIngress = ({ vif }: BufferedVif): Removal => ({ program: 'tc', line: `qdisc del dev ${vif} ingress` })

const words = (line: string): readonly string[] => line.split(' ')

/** What makes every packet of a guest's interface, of whatever protocol, wait at an ifb. The plug holds packets back from the first on. */
export function stepsToHold(one: BufferedVif, limitBytes: number): readonly Step[] {
  const { vif, ifb } = one
  return [
    { program: 'ip', args: words(`link add dev ${ifb} type ifb`), what: 'a device of kind ifb', undo: withoutIfb(one) },
    { program: 'ip', args: words(`link set dev ${ifb} up`), what: 'a device of kind ifb' },
    { program: 'tc', args: words(`qdisc add dev ${ifb} root plug limit ${limitBytes}`), what: 'the plug qdisc' },
    { program: 'tc', args: words(`qdisc add dev ${vif} handle ffff: ingress`), what: `the ingress qdisc of ${vif}`, undo: withoutIngress(one) },
    { program: 'tc', args: words(`filter add dev ${vif} parent ffff: protocol all prio 10 u32 match u32 0 0 action mirred egress redirect dev ${ifb}`), what: `the redirection of ${vif}` },
  ]
}

/** `ip` and `tc`, with errors that say what to do. */
export class IpRoute {
  readonly #run: Run

  constructor(run: Run) {
    this.#run = run
  }

  /** @throws NetBufferError */
  async do({ program, args, what }: Step): Promise<void> {
    const ran = await this.#run(program, args, '')
    if (ran.status !== 0) throw failure(`${what} cannot be had`, ran)
  }

  /** Several lines for `tc`, in one process; all are done, even when one fails. @throws NetBufferError */
  async batch(lines: readonly string[]): Promise<void> {
    const ran = await this.#run('tc', ['-force', '-batch', '-'], lines.map((line) => `${line}\n`).join(''))
    if (ran.status !== 0) throw failure('a plug cannot be switched', ran)
  }

  /** @returns whether it was done; false when there was nothing to remove. */
  async remove({ program, line }: Removal): Promise<boolean> {
    return (await this.#run(program, words(line), '')).status === 0
  }

  async has(device: string): Promise<boolean> {
    return (await this.#run('ip', ['link', 'show', 'dev', device], '')).status === 0
  }

  /** How many packets wait at devices, in the order of their names here. @throws NetBufferError */
  async waiting(ifbs: readonly string[]): Promise<readonly number[]> {
    const ran = await this.#run('tc', ['-s', '-j', 'qdisc', 'show'], '')
    if (ran.status !== 0) throw failure('the qdiscs cannot be listed', ran)
    const qdiscs = listIn(ran.output)
    return ifbs.map((ifb) => qdiscs.reduce((sum, { dev, root, qlen }) => (dev === ifb && root === true && typeof qlen === 'number' ? sum + qlen : sum), 0))
  }
}

interface Listed {
  readonly dev?: unknown
  readonly root?: unknown
  readonly qlen?: unknown
}

function listIn(output: string): readonly Listed[] {
  try {
    const list: unknown = JSON.parse(output)
    if (Array.isArray(list)) return list as readonly Listed[]
  } catch {
    // told below
  }
  throw new NetBufferError('NETBUF_FAILED', 'tc does not list qdiscs as JSON', { hint: 'a version of iproute2 from 2018 or later is needed' })
}

const MODULES = 'modprobe ifb; modprobe sch_plug; modprobe sch_ingress; modprobe cls_u32; modprobe act_mirred'

/** What the kernel says, first match counts. Source: texts of iproute2 6.1 and of the netlink errors of linux 6.1 */
const readings: readonly (readonly [RegExp, NetBufferErrorCode, string])[] = [
  [/Operation not permitted|Permission denied/, 'NETBUF_DENIED', 'run xr as root, or with CAP_NET_ADMIN'],
  [/kind is unknown|Unknown device type|Operation not supported|Failed to load TC action|TC classifier not found|Unknown qdisc|Unknown filter/, 'NETBUF_MODULE', `load what is missing: ${MODULES}; Debian's kernels have all of it`],
  [/Exclusivity flag on|File exists/, 'NETBUF_BUSY', 'look at `tc qdisc show`, and remove the ingress qdisc or put the filter elsewhere'],
  [/Cannot find device|No such device/, 'NETBUF_VIF', 'look at `ip link`: the guest may be gone'],
]

function failure(what: string, { messages, output }: Ran): NetBufferError {
  const said = `${messages}${output}`.trim().split('\n').map((line) => line.trim()).join('; ')
  const [, code, hint] = readings.find(([pattern]) => pattern.test(said)) ?? []
  return new NetBufferError(code ?? 'NETBUF_FAILED', `${what}: ${said === '' ? 'no reason was given' : said}`, { hint: hint ?? 'look at the log of the kernel' })
}
