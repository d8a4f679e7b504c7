import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fileOf, scratch, xr, xrJson } from './run-xr.ts'

describe('a wrong command line', () => {
  it.each([
    [['frobnicate'], /^xr: CLI_USAGE: unknown command 'frobnicate'\nhint: `xr help` lists the verbs\n$/],
    [['shwo'], /hint: Did you mean show\? `xr help` lists the verbs\n$/],
    [['show'], /^xr: CLI_USAGE: missing required argument 'FILE'\nhint: `xr help show` tells how it is used\n$/],
    [['show', 'a', 'b'], /too many arguments/],
    [['show', '--frob', 'a'], /unknown option '--frob'/],
    [['verify', '--by', 'me', 'a'], /Allowed choices are xen, verifier, strict/],
    [['verify', '--quick', '--data', 'a'], /--quick and --data exclude each other/],
    [['records', '--json', '--jsonl', 'a'], /--json and --jsonl exclude each other/],
    [['records', '--limit', '0', 'a'], /'0' is no number of lines/],
    [['help', 'frob'], /there is no verb 'frob'/],
    [['--frob'], /unknown option '--frob'/],
  ])('%j ends with status 2 and says what is wrong', async (args, says) => {
    const { exit, stdout, stderr } = await xr(args)
    expect(exit).toBe(2)
    expect(stderr).toMatch(says)
    if (!args.includes('--json')) expect(stdout).toBe('')
  })

  it('without a verb shows the help on stderr', async () => {
    expect(await xr([])).toMatchObject({ exit: 2, stdout: '', stderr: expect.stringContaining('Usage: xr VERB') as string })
  })
})

describe('a file that cannot be read', () => {
  it('is told by a code with a hint', async () => {
    expect(await xr(['show', '/nowhere/guest.save'])).toEqual({
      exit: 1,
      stdout: '',
      stderr: 'xr: CLI_FILE_NOT_FOUND: /nowhere/guest.save: there is no such file\nhint: look at the name and the current folder; `-` stands for standard input\n',
    })
  })

  it('may be a folder, or below a file', async () => {
    const folder = scratch()
    const file = fileOf('ok_xc_v3_hvm', folder)
    mkdirSync(join(folder, 'd'))
    expect((await xr(['show', join(folder, 'd')])).stderr).toMatch(/^xr: CLI_NOT_A_FILE: /)
    expect((await xr(['show', join(file, 'x')])).stderr).toMatch(/^xr: CLI_FILE_NOT_FOUND: /)
  })

  it.skipIf(process.getuid?.() === 0)('may be forbidden', async () => {
    const file = fileOf('ok_xc_v3_hvm')
    chmodSync(file, 0)
    expect(await xr(['verify', file])).toMatchObject({ exit: 1, stderr: expect.stringMatching(/^xr: CLI_FILE_DENIED: /) as string })
  })

  it('is one JSON document with --json, wherever the option stands', async () => {
    const { exit, document } = await xrJson('show', '/nowhere')
    expect(exit).toBe(1)
    expect(document).toEqual({ schema: 'xr.error/1', code: 'CLI_FILE_NOT_FOUND', message: '/nowhere: there is no such file', hint: expect.any(String) as string, exit: 1 })
    expect(JSON.parse((await xr(['--json', 'show', '/nowhere'])).stdout)).toMatchObject({ code: 'CLI_FILE_NOT_FOUND' })
    expect(JSON.parse((await xr(['show', '--json'])).stdout)).toMatchObject({ code: 'CLI_USAGE', exit: 2 })
  })

  it('shows the stack only when asked for', async () => {
    expect((await xr(['show', '/nowhere', '--debug'])).stderr).toMatch(/\n {4}at .*\n(.|\n)*caused by: Error: ENOENT/)
  })
})

describe('a file that is no image', () => {
  it.each([
    ['', /: empty \(at byte 0\)/],
    ['\x1f\x8b\x08\0\0\0\0\0', /compressed with gzip .*\nhint: unpack it on the way: gzip -dc FILE/],
    ['some text here', /no Xen image begins with 73 6f 6d 65/],
    ['abc', /no Xen image begins with 61 62 63/],
  ])('%j ends with status 3', async (text, says) => {
    const file = fileOf(Buffer.from(text, 'latin1'))
    for (const verb of ['show', 'records']) {
      const { exit, stderr } = await xr([verb, file])
      expect(exit).toBe(3)
      expect(stderr).toMatch(/^xr: CLI_NOT_AN_IMAGE: /)
      expect(stderr).toMatch(says)
    }
    expect(await xr(['verify', file])).toMatchObject({ exit: 3, stderr: '' })
  })
})

describe('a reader that goes away', () => {
  it('ends a list quietly', async () => {
    expect(await xr(['records', fileOf('ok_xc_v3_hvm')], { readerLeavesAfter: 0 })).toEqual({ exit: 0, stdout: '', stderr: '' })
  })

  it('does not change a verdict', async () => {
    expect(await xr(['verify', fileOf('bad_xc_marker')], { readerLeavesAfter: 0 })).toEqual({ exit: 3, stdout: '', stderr: '' })
  })
})

describe('help', () => {
  it('lists the verbs, and the exit statuses', async () => {
    const { exit, stdout, stderr } = await xr(['help'])
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
    expect(stdout).toMatch(/\n {2}show {2,}tell what/)
    expect(stdout).toContain('3 image invalid')
    expect(await xr(['--help'])).toEqual({ exit, stdout, stderr })
  })

  it('of a verb is the same both ways, and has examples', async () => {
    const { stdout } = await xr(['help', 'verify'])
    expect(stdout).toMatch(/^Usage: xr verify \[options\] <FILE\.\.\.>/)
    expect(stdout).toContain('Examples:\n  xr verify guest.save')
    expect((await xr(['verify', '--help'])).stdout).toBe(stdout)
  })

  it('is a document as well', async () => {
    expect((await xrJson('help')).document).toMatchObject({ schema: 'xr.help/1', verbs: expect.arrayContaining([{ name: 'show', summary: expect.any(String) as string }]) as unknown })
    expect((await xrJson('help', 'records')).document).toMatchObject({ schema: 'xr.help/1', verb: 'records', arguments: [{ name: 'FILE' }] })
  })

  it('knows every verb there is', async () => {
    const { document } = await xrJson('help')
    for (const { name } of (document as { readonly verbs: readonly { readonly name: string }[] }).verbs) {
      expect((await xr(['help', name])).stdout).toMatch(new RegExp(`^Usage: xr ${name} `))
    }
  })
})

describe('the version', () => {
  it('is a line, or a document', async () => {
    expect((await xr(['-V'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
    expect((await xrJson('--version')).document).toEqual({ schema: 'xr.version/1', version: expect.any(String) as string })
  })
})
