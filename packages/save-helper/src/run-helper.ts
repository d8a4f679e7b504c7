import type { ByteSink, ByteSource } from '@xen-replication/format'
import type { AbortSignalLike } from '@xen-replication/hypervisor'
import type { HelperHost } from './helper-host.ts'
import type { HelperJob, RestoreJob, SaveJob } from './job.ts'
import { Libxl, type LibxlPipes } from './protocol/libxl.ts'
import { errnoOf } from './report/errno-of.ts'
import { Report } from './report/report.ts'

/** What a helper is given by whoever starts it. */
export interface HelperScene {
  readonly pipes: LibxlPipes
  openHost(): Promise<HelperHost>
  openSink(fd: number, signal: AbortSignalLike): Promise<ByteSink>
  openSource(fd: number): ByteSource
  /** Calls a save off. */
  readonly signal: AbortSignalLike
}

/** What libxl is told of a job that failed. */
const FAILED = -1
/** Exit status where libxl could not be told how it went. */
const UNHEARD = 1

/** Does one job and tells libxl how it went. @returns exit status: 0 whenever libxl has heard, good or bad */
export async function runHelper(scene: HelperScene, job: HelperJob): Promise<number> {
  const libxl = new Libxl(scene.pipes)
  const report = new Report(libxl)
  try {
    const outcome = await attempt(report, () => work(scene, { libxl, report }, job))
    await libxl.ask('complete', outcome)
    return 0
  } catch {
    return UNHEARD // libxl is gone, and with it whoever could read why
  }
}

interface Outcome {
  readonly result: number
  readonly errno: number
}

interface Talk {
  readonly libxl: Libxl
  readonly report: Report
}

async function attempt(report: Report, job: () => Promise<number>): Promise<Outcome> {
  try {
    return { result: await job(), errno: 0 }
  } catch (error) {
    report.failure(error)
    return { result: FAILED, errno: errnoOf(error) }
  }
}

async function work(scene: HelperScene, talk: Talk, job: HelperJob): Promise<number> {
  talk.report.log('debug', `starting ${job.verb}`)
  const host = await scene.openHost()
  try {
    return await (job.verb === 'save' ? save(scene, talk, host, job) : restore(scene, talk, host, job))
  } finally {
    await host.close()
  }
}

async function save(scene: HelperScene, talk: Talk, host: HelperHost, job: SaveJob): Promise<number> {
  const { saveGuest } = await import('./save/save-guest.ts') // a job needs one of the two engines
  return saveGuest({ ...talk, host, sink: await scene.openSink(job.streamFd, scene.signal), signal: scene.signal }, job)
}

/** libxl waits for results even of a restore that failed. */
async function restore(scene: HelperScene, talk: Talk, host: HelperHost, job: RestoreJob): Promise<number> {
  let rings = { store: 0, console: 0 }
  try {
    const { restoreGuest } = await import('./restore/restore-guest.ts')
    rings = await restoreGuest({ ...talk, host, source: scene.openSource(job.streamFd) }, job)
    return 0
  } finally {
    talk.libxl.tell('restoreResults', rings)
  }
}
