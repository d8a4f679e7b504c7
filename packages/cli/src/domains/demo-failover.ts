import { Report, ReportFile } from '@xen-replication/observers'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { CliError } from '../cli-error.ts'
import type { VerbContext } from '../commands/command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { writeDocument } from '../output/json.ts'
import { ownCommand } from '../own-command.ts'
import { openDemoBackup, type DemoBackup } from './demo-backup.ts'
import { readDemoLines } from './demo-lines.ts'
import { startText, killText, protectedText, servedText, takenText, verdictText } from './demo-text.ts'
import { DemoTimeline } from './demo-timeline.ts'
import { outcomeOf, type DemoOutcome } from './demo-outcome.ts'

/** How long the guest is watched under protection, and after the failover; the kill comes at a random moment of the time beyond. */
const WATCH_MS = 1800
const AFTER_MS = 800
const RANDOM_MS = 400
/** How often somebody looks at the guest of the backup; it answers when looked at. */
const LOOK_MS = 5
/** Longest time that a part of the demonstration may take. */
const PART_MS = 60_000

const TITLE = 'xr demo: a host dies, its guest goes on'

/** Two simulated hosts, a server under Remus, and the sudden death of the primary. @param reportPath a page about it is written there */
export async function demoFailover(ctx: VerbContext, reportPath: string | undefined): Promise<ExitCode> {
  const began = ctx.now()
  const file = reportPath === undefined ? undefined : new ReportFile({ path: reportPath, title: TITLE, originMs: 0 })
  const timeline = new DemoTimeline(file?.report ?? new Report(TITLE))
  try {
    const outcome = await inFolder((folder) => play(ctx, folder, timeline))
    const seconds = (ctx.now() - began) / 1000
    await file?.close()
    if (ctx.json) await writeDocument(ctx.stdout, 'xr.demo/1', { ...outcome, report: reportPath, seconds })
    else await ctx.stdout.write(verdictText(outcome, seconds, reportPath))
    return outcome.lost === 0 ? exitCodes.done : exitCodes.failed
  } finally {
    await file?.close()
  }
}

async function inFolder<R>(work: (folder: string) => Promise<R>): Promise<R> {
  const folder = mkdtempSync(join(tmpdir(), 'xr-demo-'))
  try {
    mkdirSync(join(folder, 'arbiter'))
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function play(ctx: VerbContext, folder: string, timeline: DemoTimeline): Promise<DemoOutcome> {
  const backup = await openDemoBackup(ctx, folder, (packet) => timeline.backupAnswers(packet), (event) => timeline.backup(event))
  try {
    const primary = startPrimary(ctx, folder, timeline)
    try {
      await say(ctx, startText(primary.pid))
      await primary.orDeath(timeline.until('protected'))
      await say(ctx, protectedText())
      await primary.orDeath(setTimeout(WATCH_MS + Math.random() * RANDOM_MS, undefined, { signal: ctx.signal }))
      await say(ctx, servedText(timeline))
    } finally {
      await primary.kill()
    }
    await say(ctx, killText(timeline))
    return await takeOver(ctx, backup, timeline)
  } finally {
    await backup.close()
  }
}

async function takeOver(ctx: VerbContext, { host, received }: DemoBackup, timeline: DemoTimeline): Promise<DemoOutcome> {
  const before = { answered: timeline.client.answered, last: timeline.client.last }
  const end = await received
  if (end.released === true) throw new CliError('CLI_DEMO', 'the backup did not take over', { hint: 'report this' })
  await say(ctx, takenText(timeline))
  const until = ctx.now() + AFTER_MS
  while (ctx.now() < until) {
    await setTimeout(LOOK_MS, undefined, { signal: ctx.signal })
    await host.list()
  }
  return outcomeOf(timeline, before, end.replica?.epochs ?? 0)
}

/** The other process, which is going to be killed. */
interface PrimaryProcess {
  readonly pid: number
  /** @throws CliError CLI_DEMO when it ends by itself before `work` does */
  orDeath(work: Promise<unknown>): Promise<void>
  /** Sends SIGKILL, and reads what it said up to then. */
  kill(): Promise<void>
}

function startPrimary({ env, signal }: VerbContext, folder: string, timeline: DemoTimeline): PrimaryProcess {
  const [program, ...args] = ownCommand()
  const child = spawn(program, [...args, 'demo', 'primary', folder], { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: PART_MS, killSignal: 'SIGKILL' })
  let words = ''
  child.stderr.on('data', (chunk: Buffer) => (words = (words + chunk.toString()).slice(-2000)))
  const read = readDemoLines(child.stdout, (line) => timeline.primary(line))
  const over = new Promise<void>((resolve) => {
    child.once('close', () => resolve())
    child.once('error', (error) => {
      words += error.message
      resolve()
    })
  })
  const pid = child.pid ?? 0
  return {
    pid,
    orDeath: async (work) => {
      work.catch(() => undefined)
      const first = await Promise.race([work.then(() => 'done'), over.then(() => 'dead')])
      if (first === 'done') return
      signal.throwIfAborted()
      throw new CliError('CLI_DEMO', `the primary of the demonstration ended by itself: ${words.trim()}`, { hint: 'report this' })
    },
    kill: async () => {
      if (child.kill('SIGKILL')) timeline.killed(pid)
      await over
      await read
    },
  }
}

async function say({ stdout, json }: VerbContext, text: string): Promise<void> {
  if (!json) await stdout.write(text)
}
