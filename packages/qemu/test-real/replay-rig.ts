import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect } from 'vitest'
import { startGuest, until, type Bench, type RealQemu } from './real-qemu.ts'

const recorded = new URL('../../format/vectors/qemu/rom-killed-primary.p2s.gz', import.meta.url)

/** A QEMU that waits for a primary at `link` in the folder, and what a real one said to be sent to it. */
export async function waiting(rig: Bench): Promise<{ readonly secondary: RealQemu; readonly capture: string; readonly link: string }> {
  const [capture, link] = [join(rig.folder, 'guest.p2s'), join(rig.folder, 'link')]
  writeFileSync(capture, gunzipSync(readFileSync(recorded)))
  const secondary = await startGuest(rig, 'secondary', ['-incoming', `unix:${link}`])
  await secondary.qmp.execute('migrate-set-capabilities', { capabilities: [{ capability: 'x-colo', state: true }] })
  return { secondary, capture, link }
}

/** Has a secondary go on alone: its guest counts on. */
export async function goesOn(guest: RealQemu): Promise<void> {
  const { qmp } = guest
  await qmp.execute('x-colo-lost-heartbeat')
  await until('it has failed over', async () => ((await qmp.execute('query-colo-status')) as { mode: string }).mode === 'none')
  const before = guest.counts().length
  await until(`the guest counts on: ${guest.said()}`, () => guest.counts().length > before + 3)
  const after = guest.counts().slice(before)
  expect(after).toEqual(after.map((_, i) => (after[0] ?? 0) + i))
}
