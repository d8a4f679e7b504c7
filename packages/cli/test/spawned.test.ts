import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { fileOf, scratch, vector } from './run-xr.ts'

// These run the built command, as a user would; the test task builds first.
const bin = fileURLToPath(new URL('../bin/xr.js', import.meta.url))
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
const xr = `${quoted(process.execPath)} ${quoted(bin)}`
const shell = (script: string) => spawnSync('bash', ['-c', `xr() { ${xr} "$@"; }; ${script}`], { encoding: 'utf8' })

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const ended = (child: ChildProcess): Promise<Ended> =>
  new Promise((resolve) => {
    let stdout = ''
    let stderr = ''
    child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })

const document = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>

describe('an image that comes through', () => {
  const file = (): string => quoted(fileOf('ok_xl2_hvm'))
  const accept = { status: 0, stderr: '', stdout: expect.stringContaining(': accept (libxl') as string }

  it('a pipe', () => {
    expect(shell(`cat ${file()} | xr verify -`)).toMatchObject(accept)
  })

  it('a pipe whose writer pauses', () => {
    expect(shell(`{ head -c 5000 ${file()}; sleep 0.3; tail -c +5001 ${file()}; } | xr verify -`)).toMatchObject(accept)
  })

  it('standard input from a file', () => {
    expect(shell(`xr verify - < ${file()}`)).toMatchObject(accept)
  })

  it('a named pipe', () => {
    const fifo = join(scratch(), 'fifo')
    expect(shell(`mkfifo ${fifo}; cat ${file()} > ${fifo} & xr verify ${fifo}`)).toMatchObject(accept)
  })

  it('a process substitution', () => {
    expect(shell(`xr verify <(cat ${file()})`)).toMatchObject(accept)
  })

  it('a socket', async () => {
    const child = spawn(process.execPath, [bin, 'verify', '-'], { stdio: ['pipe', 'pipe', 'pipe'] }) // Node makes this pipe a socket pair
    child.stdin.end(vector('ok_xl2_hvm'))
    expect(await ended(child)).toMatchObject({ code: 0, stderr: '', stdout: accept.stdout })
  })

  it('nothing at all', () => {
    expect(shell('xr show - < /dev/null')).toMatchObject({ status: 3, stdout: '', stderr: expect.stringContaining('CLI_NOT_AN_IMAGE') as string })
    expect(shell('true | xr show -')).toMatchObject({ status: 3, stdout: '', stderr: expect.stringContaining('CLI_NOT_AN_IMAGE') as string })
  })

  it('a pipe looks the same as the file', () => {
    const path = file()
    const [whole, piped] = [shell(`xr show --json ${path}`), shell(`cat ${path} | xr show --json -`)].map(({ stdout }) => document(stdout))
    expect({ ...piped, file: '', seconds: 0 }).toEqual({ ...whole, file: '', seconds: 0 })
  })
})

describe('a signal', () => {
  const waits = async (child: ChildProcess, signal: NodeJS.Signals): Promise<Ended & { readonly ms: number }> => {
    const end = ended(child)
    await new Promise((resolve) => setTimeout(resolve, 700)) // the command has started and waits by then
    const began = performance.now()
    child.kill(signal)
    return { ...(await end), ms: performance.now() - began }
  }

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s ends a wait for a silent pipe at once, with status 8', async (signal) => {
    const fifo = join(scratch(), 'fifo')
    spawnSync('mkfifo', [fifo])
    const writer = openSync(fifo, 'r+')
    const child = spawn(process.execPath, [bin, 'verify', '--json', fifo])
    writeFileSync(writer, vector('ok_xl2_hvm').subarray(0, 3000))
    const { code, stderr, stdout, ms } = await waits(child, signal)
    closeSync(writer)
    expect({ code, stderr }).toEqual({ code: 8, stderr: expect.stringMatching(/^xr: CLI_INTERRUPTED: /) as string })
    expect(document(stdout)).toMatchObject({ schema: 'xr.error/1', exit: 8 })
    expect(ms).toBeLessThan(1500)
  })

  it('ends a wait for a writer that never comes', async () => {
    const fifo = join(scratch(), 'fifo')
    spawnSync('mkfifo', [fifo])
    expect(await waits(spawn(process.execPath, [bin, 'records', fifo]), 'SIGINT')).toMatchObject({ code: 8, stdout: '' })
  })

  it('ends a wait for a silent socket too, and leaves no temporary file', async () => {
    const folder = scratch()
    const child = spawn(process.execPath, [bin, 'diff', '-', fileOf('ok_xl2_hvm')], { env: { ...process.env, TMPDIR: folder } })
    child.stdin.write(vector('ok_xl2_hvm').subarray(0, 3000))
    expect(await waits(child, 'SIGINT')).toMatchObject({ code: 8, stdout: '' })
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('a reader that stops reading', () => {
  it('ends the command quietly', () => {
    expect(shell(`xr records ${quoted(fileOf('ok_xl2_hvm'))} | head -n 1; echo "\${PIPESTATUS[0]}"`)).toMatchObject({ stderr: '', stdout: expect.stringMatching(/\n0\n$/) as string })
  })
})

describe('the shell', () => {
  it('gets words and file names from the script', () => {
    const tryAll = 'try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _xr; echo "${COMPREPLY[*]}"; }'
    const script = `PATH=${quoted(binFolder())}:$PATH; source <(xr completion bash); ${tryAll}; try x sh; try x verify --by ""; try x show '$(touch pwned)'`
    expect(spawnSync('bash', ['-c', script], { encoding: 'utf8', cwd: scratch() }).stdout).toBe('show\nxen verifier strict\n\n')
  })
})

/** A folder in which the command has its name. */
function binFolder(): string {
  const folder = scratch()
  writeFileSync(join(folder, 'xr'), `#!/bin/sh\nexec ${xr} "$@"\n`, { mode: 0o755 })
  return folder
}
