import { unixTransport } from '@xen-replication/transports'
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { never, tempDir, type TempDir } from './temp-dir.ts'

const unix = unixTransport({ connectTimeoutMs: 1000 })
let dir: TempDir
beforeEach(() => {
  dir = tempDir()
})
afterEach(() => dir.remove())

/** A socket file whose process was killed. */
async function deadSocket(path: string): Promise<void> {
  const child = spawn(process.execPath, ['-e', `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`])
  await once(child, 'exit')
}

describe('the file of a unix socket', () => {
  it('is for its owner only, and is gone when the listener is', async () => {
    const listener = await unix.listen(`unix:${dir.path('s')}`, never())
    expect(statSync(dir.path('s')).mode & 0o777).toBe(0o600)
    await listener.close()
    expect(existsSync(dir.path('s'))).toBe(false)
  })

  it('is replaced when nobody listens there any more', async () => {
    await deadSocket(dir.path('s'))
    expect(statSync(dir.path('s')).isSocket()).toBe(true)
    await expect(unix.dial(`unix:${dir.path('s')}`, never())).rejects.toMatchObject({ code: 'LINK_REFUSED' })
    const listener = await unix.listen(`unix:${dir.path('s')}`, never())
    const [near, far] = await Promise.all([unix.dial(listener.url, never()), listener.accept(never())])
    await Promise.all([near.close(), far.close(), listener.close()])
  })

  it('is left alone when it is something else', async () => {
    writeFileSync(dir.path('s'), 'precious')
    await expect(unix.listen(`unix:${dir.path('s')}`, never())).rejects.toMatchObject({ code: 'LINK_ADDRESS', message: expect.stringContaining('not a socket') as string })
    expect(readFileSync(dir.path('s'), 'utf8')).toBe('precious')
  })

  it('has to be there, for who dials', async () => {
    await expect(unix.dial(`unix:${dir.path('s')}`, never())).rejects.toMatchObject({ code: 'LINK_REFUSED', message: expect.stringContaining('nobody listens') as string })
  })

  it('is not cut short when its name is too long', async () => {
    const long = `unix:${dir.path('x'.repeat(108))}`
    await expect(unix.listen(long, never())).rejects.toMatchObject({ code: 'LINK_ADDRESS' })
    await expect(unix.dial(long, never())).rejects.toMatchObject({ code: 'LINK_ADDRESS' })
  })

  it('needs a folder to be in', async () => {
    await expect(unix.listen(`unix:${dir.path('no/s')}`, never())).rejects.toMatchObject({ code: 'LINK_ADDRESS' })
  })

  it('left behind is replaced by one of two that begin to listen together', async () => {
    for (let round = 0; round < 10; round++) {
      await deadSocket(dir.path('s'))
      const both = await Promise.allSettled([unix.listen(`unix:${dir.path('s')}`, never()), unix.listen(`unix:${dir.path('s')}`, never())])
      const listeners = both.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
      expect(listeners).toHaveLength(1)
      await (await unix.dial(`unix:${dir.path('s')}`, never())).close()
      for (const listener of listeners) await listener.close()
      expect(readdirSync(dirname(dir.path('s')))).toEqual([])
    }
  }, 20_000)

  it('is made by one of two that begin to listen together', async () => {
    const both = await Promise.allSettled([unix.listen(`unix:${dir.path('s')}`, never()), unix.listen(`unix:${dir.path('s')}`, never())])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    for (const one of both) if (one.status === 'fulfilled') await one.value.close()
  })
})
