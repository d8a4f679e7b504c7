import type { AbortSignalLike, Clock } from '@xen-replication/plugin-api'
import type { Qmp } from '@xen-replication/qmp'
import { QemuError } from '../qemu-error.ts'
import type { PairPlan } from './plan.ts'
import { stepsOf, type Step } from './steps.ts'

/** Both QEMUs, by their monitors. */
export interface Monitors {
  readonly primary: Qmp
  readonly secondary: Qmp
}

export interface SetUpPorts {
  readonly monitors: Monitors
  readonly plan: PairPlan
  readonly session: string
  readonly clock: Clock
  readonly signal: AbortSignalLike
  /** Longest time until both guests run, in milliseconds. */
  readonly setUpMs: number
}

/** What was set up, and how it is taken away. */
export interface SetUp {
  /** This side goes on alone. Never fails: what is gone is gone. */
  undo(at: Step['at']): Promise<void>
}

/** How often it is looked whether both have come as far, in milliseconds. */
const LOOK_MS = 20

/**
 * Has two QEMUs replicate: filters, disks, capabilities, and the migration that begins it. The secondary waits with `-incoming`.
 *
 * @throws QemuError QEMU_PAIR, QmpError, the reason of `signal`: the primary's guest runs on as before then
 */
export async function setUpPair(ports: SetUpPorts): Promise<SetUp> {
  const { monitors, plan, session } = ports
  const done: Step[] = []
  const undo = async (at: Step['at'], steps: readonly Step[]): Promise<void> => {
    for (const step of steps.toReversed()) {
      if (step.at !== at || step.undo === undefined) continue
      const answers = await monitors[at].execute(step.undo.command, step.undo.args).then(() => true, isRefusal)
      if (!answers) return // it is gone or stuck: the rest would take as long
    }
  }
  if ((await statusOf(monitors.primary)) !== 'running') throw new QemuError('QEMU_PAIR', `the primary is ${await statusOf(monitors.primary)}`, { hint: 'its guest has to run: `cont`' })
  try {
    for (const step of stepsOf(plan, session)) {
      await monitors[step.at].execute(step.command, step.args)
      done.push(step)
    }
    await monitors.primary.execute('migrate-set-parameters', { 'x-checkpoint-delay': plan.intervalMs })
    await monitors.primary.execute('migrate', { uri: plan.uri })
    await bothRun(ports)
    return { undo: (at) => undo(at, done.filter(({ stays }) => stays !== true)) }
  } catch (error) {
    await monitors.primary.execute('migrate_cancel').catch(() => undefined)
    await undo('primary', done)
    await undo('secondary', done)
    await goOn(monitors.primary)
    throw error
  }
}

const isRefusal = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'QMP_REFUSED'

/** A guest that stood for the secondary goes on. */
async function goOn(primary: Qmp): Promise<void> {
  if ((await modeOf(primary).catch(() => 'none')) === 'primary') await primary.execute('x-colo-lost-heartbeat').catch(() => undefined)
  await primary.execute('cont').catch(() => undefined)
}

async function bothRun({ monitors: { primary, secondary }, clock, signal, setUpMs }: SetUpPorts): Promise<void> {
  for (const until = clock.now() + setUpMs; ; ) {
    if (signal.aborted) throw signal.reason
    const status = await migrationOf(primary)
    if (status.status === 'failed' || status.status === 'cancelled') throw new QemuError('QEMU_PAIR', `the migration that begins it ${status.status}${status.why === undefined ? '' : `: ${status.why}`}`)
    if ((await modeOf(primary)) === 'primary' && (await modeOf(secondary)) === 'secondary' && (await runs(secondary))) return
    if (clock.now() > until) throw new QemuError('QEMU_PAIR', `the secondary does not run the guest after ${setUpMs} ms`)
    await clock.sleep(LOOK_MS, signal).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : error
    })
  }
}

type Told = Readonly<Record<string, unknown>>

async function ask(qmp: Qmp, command: string): Promise<Told> {
  const told = await qmp.execute(command)
  return typeof told === 'object' && told !== null ? (told as Told) : {}
}

async function migrationOf(qmp: Qmp): Promise<{ readonly status: string; readonly why: string | undefined }> {
  const told = await ask(qmp, 'query-migrate')
  return { status: typeof told['status'] === 'string' ? told['status'] : 'none', why: typeof told['error-desc'] === 'string' ? told['error-desc'] : undefined }
}

/** `primary`, `secondary` or `none`. */
export const modeOf = async (qmp: Qmp): Promise<string> => String((await ask(qmp, 'query-colo-status'))['mode'])

/** `running`, `colo` while it stands for a checkpoint, and others. */
export const statusOf = async (qmp: Qmp): Promise<string> => String((await ask(qmp, 'query-status'))['status'])

const runs = async (qmp: Qmp): Promise<boolean> => (await statusOf(qmp)) === 'running'
