import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fileOf, scratch, vector, xr, xrJson } from './run-xr.ts'

const GOLD = 'gold_xc_hvm_remus'

describe('xr repair', () => {
  it('leaves a whole plain image as it is', async () => {
    const out = join(scratch(), 'out')
    const { exit, stdout } = await xr(['repair', fileOf('ok_xlfile_pv'), out])
    expect(exit).toBe(0)
    expect(stdout).toMatch(/out: a plain image of .* KiB, \d+ page entries\nnothing was left out\n$/)
    expect((await xr(['verify', out])).exit).toBe(0)
  })

  it('makes a plain image of the last complete checkpoint of a cut stream', async () => {
    const bytes = vector(GOLD)
    const verdicts = new Set<string>()
    for (const part of [0.87, 0.9, 0.95, 0.999]) {
      const folder = scratch()
      const out = join(folder, 'out')
      const cut = fileOf(bytes.subarray(0, Math.floor(part * bytes.length)), folder)
      const { exit, document } = await xrJson('repair', cut, out)
      expect(exit).toBe(4)
      expect(document).toMatchObject({ schema: 'xr.repair/1', in: cut, out, guest: 'hvm', kind: 'checkpoints', whole: false, broken: { offset: Math.floor(part * bytes.length) }, bytes: readFileSync(out).length })
      const verified = await xrJson('verify', out)
      verdicts.add(JSON.stringify((verified.document as { files: { verdict: object }[] }).files[0]?.verdict))
      expect((await xr(['diff', '--guest', cut, out])).exit).toBe(0)
      expect(readdirSync(folder).sort()).toEqual(['guest.save', 'out'])
    }
    expect([...verdicts].map((verdict) => JSON.parse(verdict) as unknown)).toEqual([{ strict: 'accept', xen: 'accept', verifier: 'accept' }])
  })

  it('tells what was left out', async () => {
    const bytes = vector(GOLD)
    const { exit, stdout } = await xr(['repair', fileOf(bytes.subarray(0, bytes.length - 10_000)), join(scratch(), 'out')])
    expect(exit).toBe(4)
    expect(stdout).toMatch(/it holds checkpoint \d, the last complete one\nleft out: the image ends within a record \(at byte \d+\); [\d ]+ bytes from byte \d+ on do not count, the last of \d complete checkpoints? does\n$/)
  })

  it('tells when more comes after the last checkpoint', async () => {
    // 698 552 is where the second checkpoint ends, 739 832 where the third one’s CHECKPOINT begins.
    const { exit, stdout } = await xr(['repair', fileOf(vector(GOLD).subarray(0, 739_832)), join(scratch(), 'out')])
    expect(exit).toBe(4)
    expect(stdout).toMatch(/left out: the image ends where more was to come \(at byte 739832\); 41 280 bytes from byte 698552 on/)
    const ended = Buffer.concat([vector(GOLD).subarray(0, 739_832), Buffer.alloc(8)])
    expect((await xr(['repair', fileOf(ended), join(scratch(), 'out')])).stdout).toMatch(/left out: more comes after it; /)
  })

  it('writes to standard output what it writes to a file', async () => {
    const { exit, stdout, stderr } = await xr(['repair', fileOf('ok_xlfile_pv'), '-'])
    expect(exit).toBe(0)
    expect(Buffer.from(stdout, 'latin1').subarray(0, 31).toString()).toContain('Xen saved domain')
    expect(stderr).toContain('nothing was left out')
  })

  it('gives up with 3 when nothing is complete', async () => {
    const folder = scratch()
    const { exit, stderr } = await xr(['repair', fileOf(vector('ok_xlfile_pv').subarray(0, 20_000), folder), join(folder, 'out')])
    expect(exit).toBe(3)
    expect(stderr).toMatch(/^xr: FMT_NO_STATE: .*\(at byte 20000\)\nhint: /)
    expect(readdirSync(folder)).toEqual(['guest.save'])
    expect((await xr(['repair', fileOf('legacy/legacy_pv64', folder), join(folder, 'out')])).stderr).toContain('FMT_LEGACY')
  })

  it('does without a lost device model state only with --force', async () => {
    const whole = vector('legacy/legacy_hvm64.libxl')
    const folder = scratch()
    const cut = fileOf(whole.subarray(0, whole.length - 100), folder)
    const out = join(folder, 'out')
    expect(await xr(['repair', cut, out])).toMatchObject({ exit: 3, stderr: expect.stringContaining('FMT_NO_EMULATOR') as string })
    const { exit, stdout } = await xr(['repair', cut, out, '--force'])
    expect(exit).toBe(4)
    expect(stdout).toContain('xl cannot restore this image')
    expect((await xr(['extract', out, join(folder, 'memory'), '--memory'])).exit).toBe(0)
  })

  it('may write over its input', async () => {
    const path = fileOf('gold_xc_hvm_live')
    expect((await xr(['repair', path, path])).exit).toBe(0)
    expect(readFileSync(path).length).toBeLessThan(vector('gold_xc_hvm_live').length)
    expect((await xr(['diff', '--guest', path, fileOf('gold_xc_hvm_live')])).exit).toBe(0)
  })

  it('leaves nothing behind when it is stopped', async () => {
    const folder = scratch()
    const stop = new AbortController()
    stop.abort()
    const ran = await xr(['repair', fileOf(GOLD, folder), join(folder, 'out')], { signal: stop.signal })
    expect([0, 8]).toContain(ran.exit)
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([])
  })
})
