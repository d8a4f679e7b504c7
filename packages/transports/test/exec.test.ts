import { finish, type Channel } from '@xen-replication/plugin-api'
import { execTransport, sshTransport } from '@xen-replication/transports'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sshArguments } from '../src/ssh.ts'
import { never, tempDir, type TempDir } from './temp-dir.ts'

const exec = execTransport({ env: process.env })
const run = (line: string): Promise<Channel> => exec.dial(`exec:${line}`, never())
const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString()
const reading = (channel: Channel): Promise<Uint8Array | undefined> => Promise.resolve(channel.read(1000))
const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

let dir: TempDir
beforeEach(() => {
  dir = tempDir()
})
afterEach(() => dir.remove())

describe('a command that ends', () => {
  it('well is an end of the link', async () => {
    const channel = await run('echo hello')
    expect(text(await reading(channel))).toBe('hello\n')
    expect(await channel.read(1)).toBeUndefined()
    await channel.close()
  })

  it('with a status is a lost link, after what it said', async () => {
    const channel = await run('echo hello; exit 3')
    expect(text(await reading(channel))).toBe('hello\n')
    await expect(reading(channel)).rejects.toMatchObject({ code: 'LINK_LOST', message: expect.stringContaining('status 3') as string })
    await channel.close()
  })

  it.each([['/no/such/command 2>/dev/null', 127], ['exit 255', 255]])('before it said a word did not let us in: %s', async (line, status) => {
    const channel = await run(line)
    await expect(reading(channel)).rejects.toMatchObject({ code: 'LINK_REFUSED', message: expect.stringContaining(`status ${status}`) as string })
    await channel.close()
  })

  it('by a signal is a lost link', async () => {
    const channel = await run('kill -9 $$')
    await expect(reading(channel)).rejects.toMatchObject({ code: 'LINK_LOST', message: expect.stringContaining('SIGKILL') as string })
    await channel.close()
  })

  it('while it is written to tells its status, not just that the pipe broke', async () => {
    const channel = await run('exit 4')
    await new Promise((resolve) => setTimeout(resolve, 100))
    const writing = async (): Promise<void> => {
      for (;;) await channel.write([new Uint8Array(100_000)])
    }
    await expect(writing()).rejects.toMatchObject({ code: 'LINK_LOST', message: expect.stringContaining('status 4') as string })
    await channel.close()
  })

  it('badly after it got everything is told to whoever finishes the link', async () => {
    const channel = await run('cat > /dev/null; exit 5')
    await channel.write([new Uint8Array(10)])
    await expect(finish(channel)).rejects.toMatchObject({ code: 'LINK_LOST' })
    await channel.close()
  })

  it('only its output, and runs on, has ended', async () => {
    const channel = await run('exec 1>&-; sleep 4')
    expect(await channel.read(1)).toBeUndefined()
    await channel.close()
  }, 10_000)
})

describe('closing a command', () => {
  it('stops it when the link was not ended', async () => {
    const channel = await run('echo $$; exec sleep 1000')
    const pid = Number(text(await reading(channel)))
    expect(alive(pid)).toBe(true)
    await channel.close()
    expect(alive(pid)).toBe(false)
  })

  it('kills it when it will not stop', async () => {
    const channel = await run('trap "" TERM; echo $$; while :; do sleep 0.1; done')
    const pid = Number(text(await reading(channel)))
    await channel.close()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(alive(pid)).toBe(false)
  }, 10_000)

  it('lets it finish what it does when the link was ended', async () => {
    const channel = await run(`cat > ${dir.path('got')}; sleep 0.2; echo done >> ${dir.path('got')}`)
    await channel.write([Buffer.from('all of it\n')])
    await channel.end()
    await channel.close()
    expect(readFileSync(dir.path('got'), 'utf8')).toBe('all of it\ndone\n')
  })
})

describe('a command', () => {
  it('is a line for the shell', async () => {
    const channel = await run(`X='a  b'; printf %s "$X" | tr a-z A-Z`)
    expect(text(await reading(channel))).toBe('A  B')
    await channel.close()
  })

  it('may be listened to, once', async () => {
    const listener = await exec.listen('exec:echo hi', never())
    const channel = await listener.accept(never())
    expect(text(await reading(channel))).toBe('hi\n')
    await expect(listener.accept(never())).rejects.toMatchObject({ code: 'LINK_REFUSED' })
    await listener.close()
    await channel.close()
  })

  it('that nobody took is stopped with its listener', async () => {
    const listener = await exec.listen(`exec:sleep 0.5; touch ${dir.path('ran on')}`, never())
    await listener.close()
    await expect(listener.accept(never())).rejects.toMatchObject({ code: 'LINK_CLOSED' })
    await new Promise((resolve) => setTimeout(resolve, 700))
    expect(existsSync(dir.path('ran on'))).toBe(false)
  })

  it('has to be written', async () => {
    await expect(run('  ')).rejects.toMatchObject({ code: 'LINK_ADDRESS' })
    await expect(run('a\0b')).rejects.toMatchObject({ code: 'LINK_ADDRESS' })
  })

  it('is not begun when the operation is called off', async () => {
    const reason = new Error('called off')
    await expect(exec.dial(`exec:touch ${dir.path('begun')}`, AbortSignal.abort(reason))).rejects.toBe(reason)
    const abort = new AbortController()
    const dialling = exec.dial('exec:sleep 1000', abort.signal)
    abort.abort(reason)
    await expect(dialling).rejects.toBe(reason)
    expect(existsSync(dir.path('begun'))).toBe(false)
  })
})

describe('ssh://', () => {
  const always = ['-T', '-e', 'none']
  it.each([
    ['ssh://host', [...always, '--', 'host', 'xr receive -']],
    ['ssh://host/', [...always, '--', 'host', 'xr receive -']],
    ['ssh://root@host:2222/xl%20migrate-receive', [...always, '-l', 'root', '-p', '2222', '--', 'host', 'xl migrate-receive']],
    ['ssh://[fe80::1%eth0]/a/b c;d', [...always, '--', 'fe80::1%eth0', 'a/b c;d']],
  ])('%s calls ssh with words that no shell here sees', (url, args) => {
    expect(sshArguments(url)).toEqual(args)
  })

  it.each(['ssh:host', 'ssh://', 'ssh:///cmd', 'ssh://-oProxyCommand=touch', 'ssh://-l@host', 'ssh://a b', 'ssh://host\n', 'ssh://host:x', 'ssh://host?x', 'ssh://host/%', 'ssh://host/%00'])('%o is refused', async (url) => {
    await expect(sshTransport({ env: {} }).dial(url, never())).rejects.toMatchObject({ code: 'LINK_ADDRESS' })
  })

  it('runs the ssh that PATH leads to, with these words', async () => {
    mkdirSync(dir.path('bin'))
    writeFileSync(dir.path('bin/ssh'), '#!/bin/sh\nprintf "<%s>" "$@"\n', { mode: 0o755 })
    const ssh = sshTransport({ env: { PATH: `${dir.path('bin')}:/usr/bin:/bin` } })
    const listener = await ssh.listen('ssh://host/echo%20%24HOME%3B%20ls', never())
    const channel = await listener.accept(never())
    expect(text(await reading(channel))).toBe('<-T><-e><none><--><host><echo $HOME; ls>')
    await channel.close()
  })

  it('says so when there is no ssh', async () => {
    await expect(sshTransport({ env: { PATH: dir.path('nothing') } }).dial('ssh://host', never())).rejects.toMatchObject({ message: expect.stringContaining('ssh cannot be run') as string })
  })
})
