import { ByteReader, verify } from '@xen-replication/format'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { VerbContext } from '../commands/command.ts'
import { withDemoHosts, type DemoHost, type DemoHosts } from './demo-hosts.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { openImage } from '../input/open-image.ts'
import { writeDocument } from '../output/json.ts'
import { bytesText, countText, durationText } from '../output/units.ts'
import { pause } from './pause.ts'

const MEMORY_MIB = 64
/** How long the guest works between the steps, in milliseconds. */
const WORK_MS = 400

/** Two simulated hosts, a guest, an image and a migration. */
export function demoMigrate(ctx: VerbContext): Promise<ExitCode> {
  return withDemoHosts(ctx, async (hosts) => {
    const began = ctx.now()
    const steps = [await make(ctx, hosts), await save(ctx, hosts), await check(ctx, hosts), await move(ctx, hosts)]
    const seconds = (ctx.now() - began) / 1000
    if (ctx.json) await writeDocument(ctx.stdout, 'xr.demo/1', { steps, seconds })
    else await say(ctx, `\nThat took ${durationText(seconds * 1000)}; the two hosts are gone again. To go on by yourself:\n  xr --mock-host /tmp/a create demo\n  xr --mock-host /tmp/b receive unix:/tmp/s &\n  xr --mock-host /tmp/a migrate demo unix:/tmp/s\n`)
    return exitCodes.done
  })
}

async function make(ctx: VerbContext, { a }: DemoHosts): Promise<object> {
  const { T } = await import('@xen-replication/toolstack')
  await say(ctx, `1. A guest is made on host a: HVM, ${MEMORY_MIB} MiB; all day it counts in its memory.\n`)
  const id = await (await a.stack.get(T.create))({ name: 'demo', kind: 'hvm', memoryBytes: MEMORY_MIB << 20, settings: { workload: 'counter' } })
  await pause(WORK_MS, ctx.signal)
  const count = await counted(a)
  await say(ctx, `   demo runs as domain ${id} and has counted to ${countText(count)}.\n\n`)
  return { step: 'create', id, count }
}

async function save(ctx: VerbContext, { a, folder }: DemoHosts): Promise<object> {
  const { T } = await import('@xen-replication/toolstack')
  await say(ctx, '2. It is saved to a file, in the format of `xl save`, and runs on.\n')
  const { bytes, stoodMs } = await (await a.stack.get(T.save))({ dom: 'demo', url: `file:${imageIn(folder)}`, then: 'resume' }, ctx.signal)
  await say(ctx, `   ${bytesText(bytes)}; demo stood for ${durationText(stoodMs)} meanwhile.\n\n`)
  return { step: 'save', bytes, stoodMs }
}

async function check(ctx: VerbContext, { folder }: DemoHosts): Promise<object> {
  await say(ctx, '3. The image is checked, as `xr verify` does: would Xen restore it?\n')
  const image = await openImage(imageIn(folder), ctx)
  try {
    const { verdict } = await verify(new ByteReader(image.source), image.reread === undefined ? {} : { reread: image.reread })
    const { xen, verifier, strict } = verdict
    await say(ctx, `   Xen's restorer: ${xen}; Xen's verify-stream-v2: ${verifier}; the written specification: ${strict}.\n\n`)
    return { step: 'verify', verdict: { strict, xen, verifier } }
  } finally {
    image.close()
  }
}

async function move(ctx: VerbContext, { a, b, folder }: DemoHosts): Promise<object> {
  const { T } = await import('@xen-replication/toolstack')
  await say(ctx, '4. It moves to host b while it counts on: memory is sent, then what changed meanwhile, then it stands for the rest.\n')
  const socket = join(folder, 's')
  const before = await counted(a)
  const receiving = (await b.stack.get(T.receive))({ url: `unix:${socket}`, peer: 'xr', then: 'run' }, ctx.signal)
  const waited = receiving.catch(() => undefined) // its error is that of the other side
  while (!existsSync(socket)) await pause(5, ctx.signal)
  const { bytes, stoodMs } = await (await a.stack.get(T.migrate))({ dom: 'demo', url: `unix:${socket}`, peer: 'xr', mode: 'live' }, ctx.signal).finally(() => waited)
  await receiving
  await pause(WORK_MS, ctx.signal)
  const after = await counted(b)
  const left = (await (await a.stack.get(T.list))()).length
  await say(ctx, `   ${bytesText(bytes)}; demo stood for ${durationText(stoodMs)}. It runs on b, and ${left === 0 ? 'is gone from a' : 'is still on a'}.\n`)
  await say(ctx, `   It had counted to ${countText(before)} before, and counts on: ${countText(after)}.\n`)
  return { step: 'migrate', bytes, stoodMs, before, after, left }
}

/** How far the guest has counted. */
async function counted({ host }: DemoHost): Promise<number> {
  const [demo] = await host.list()
  return demo === undefined ? 0 : host.inspect(demo.domId, ({ ops }) => ops)
}

const imageIn = (folder: string): string => join(folder, 'demo.xl')

async function say({ stdout, json }: VerbContext, text: string): Promise<void> {
  if (!json) await stdout.write(text)
}
