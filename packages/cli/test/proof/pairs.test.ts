import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'

const bench = fileURLToPath(new URL('../../../../bench/pairs.mjs', import.meta.url))
/** More of them for a longer proof: `XR_PROOF_PAIRS=200`. */
const runs = Number(process.env['XR_PROOF_PAIRS'] ?? 4)
/** Of one of them on a busy machine, in milliseconds. */
const EACH_MS = 150_000

it(`two real xr, killed, hung, cut off and slowed down at random moments: never two run the guest, and nothing is lost that was seen (${runs} pairs)`, { timeout: runs * EACH_MS }, async () => {
  const child = spawn(process.execPath, [bench, '--runs', String(runs)], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGTERM')) // it ends what it has started
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (said += text.toString()))
  const status = await new Promise((resolve) => child.once('close', resolve))
  expect(said).toContain('never two active, nothing lost that the world had seen, all came to an end')
  expect(status).toBe(0)
})
