import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { spawn, type ChildProcess } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GuestGuard, startWatch } from '../src/guest-guard.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'xr-test-'))
  writeFileSync(join(dir, 'xl'), `#!/bin/sh\necho "$*" >> ${dir}/log\n`)
  chmodSync(join(dir, 'xl'), 0o755)
})
afterEach(() => rmSync(dir, { recursive: true }))

const said = (): string => (existsSync(join(dir, 'log')) ? readFileSync(join(dir, 'log'), 'utf8') : '')
const ended = (child: ChildProcess): Promise<void> => new Promise((resolve) => (child.exitCode === null ? child.once('exit', () => resolve()) : resolve()))

/** A guard over domain 7, and the process that watches. */
async function guard(): Promise<{ readonly device: GuestGuard; readonly watch: ChildProcess }> {
  const watch = startWatch(7, { PATH: dir })
  const device = new GuestGuard(7, () => watch)
  await device.setup()
  await device.setup()
  return { device, watch }
}

describe('a guest that another host may take over', () => {
  it('is paused when the process that protects it is gone without a word', async () => {
    const { watch } = await guard()
    watch.stdin?.destroy() // as when that process is killed
    await ended(watch)
    expect(said()).toBe('pause 7\n')
  })

  it('is left alone when its protection has come to an end', async () => {
    const { device, watch } = await guard()
    await device.postsuspend()
    await device.preresume()
    await device.commit()
    expect(await device.waiting()).toBe(0)
    await device.teardown()
    await device.teardown()
    expect([watch.exitCode, said()]).toEqual([0, ''])
  })

  it('is not waited for when who watches over it has been killed', async () => {
    const { device, watch } = await guard()
    watch.kill('SIGKILL')
    await ended(watch)
    await device.teardown()
    expect(said()).toBe('')
  })

  it('is not protected at all when nobody can be set to watch', async () => {
    const device = new GuestGuard(7, () => spawn(join(dir, 'no-such-program'), { stdio: ['pipe', 'ignore', 'ignore'] }))
    await expect(device.setup()).rejects.toMatchObject({ code: 'BACKEND_HOST' })
    await device.teardown()
  })
})
