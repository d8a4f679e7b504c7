import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fileOf, scratch, vector, xr, xrJson } from './run-xr.ts'

describe('xr convert', () => {
  it('makes of a legacy image what Xen’s converter makes', async () => {
    for (const [name, to] of [['hvm64', 'libxl-v2'], ['pv32on64', 'libxl-v2'], ['hvm32', 'libxc-v3']] as const) {
      const folder = scratch()
      const out = join(folder, 'out')
      const { exit, stdout, stderr } = await xr(['convert', fileOf(`legacy/legacy_${name}`, folder), out, '--to', to])
      expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
      expect(stdout).toMatch(/out: a lib(xc image of version 3|xl stream of version 2), .*KiB\n$/)
      expect(readFileSync(out)).toEqual(vector(`legacy/legacy_${name}.${to.slice(0, 5)}`))
      expect(readdirSync(folder).sort()).toEqual(['guest.save', 'out'])
    }
  })

  it('tells the width and kind of guest when asked to', async () => {
    const out = join(scratch(), 'out')
    const { exit } = await xr(['convert', fileOf('legacy/legacy_hvm64'), out, '--to', 'libxl-v2', '--guest', 'hvm', '--width', '64'])
    expect(exit).toBe(0)
    expect(readFileSync(out)).toEqual(vector('legacy/legacy_hvm64.libxl'))
    expect((await xr(['convert', fileOf('legacy/legacy_hvm64'), out, '--to', 'xl', '--guest', 'hvm', '--width', '32'])).exit).toBe(3)
  })

  it('writes an xl file with a configuration from a file, and replaces an output that is there', async () => {
    const folder = scratch()
    const [config, out] = [join(folder, 'guest.cfg'), join(folder, 'out')]
    writeFileSync(config, ' \n{"c_info":{"name":"it"}}')
    writeFileSync(out, 'old')
    const bare = fileOf('ok_xc_v3_pv64', folder)
    const { exit, document } = await xrJson('convert', bare, out, '--to', 'xl', '--config', config)
    expect({ exit, document }).toEqual({ exit: 0, document: { schema: 'xr.convert/1', in: bare, out, from: 'libxc', to: 'xl', bytes: readFileSync(out).length, warnings: [], seconds: expect.any(Number) as number } })
    const verified = await xr(['verify', out])
    expect(verified.exit).toBe(0)
    expect((await xr(['extract', out, '-', '--config'])).stdout).toBe(' \n{"c_info":{"name":"it"}}')
  })

  it('puts the device model’s state beside a bare image', async () => {
    const folder = scratch()
    const [state, bare, out] = [join(folder, 'qemu'), join(folder, 'bare'), join(folder, 'out')]
    const whole = fileOf('ok_xl2_hvm', folder)
    await xr(['extract', whole, state, '--emulator'])
    const { stderr } = await xr(['convert', whole, bare, '--to', 'libxc-v3'])
    expect(stderr).toContain('xr: warning: the device model’s state is left out')
    await xr(['convert', bare, out, '--to', 'libxl-v2', '--emulator', state])
    expect(readFileSync(out)).toEqual(vector('ok_xl2_hvm'))
  })

  it('tells in its document what gets lost', async () => {
    const out = join(scratch(), 'out')
    expect((await xrJson('convert', fileOf('ok_xc_v3_hvm'), out, '--to', 'xl')).document).toMatchObject({ warnings: [{ code: 'no-config' }, { code: 'no-emulator' }] })
  })

  it('writes to standard output, and its remark elsewhere unless told to be quiet', async () => {
    const { stdout, stderr } = await xr(['convert', fileOf('ok_xl2_pv'), '-', '--to', 'libxl-v2'])
    expect(Buffer.from(stdout, 'latin1')).toEqual(vector('ok_xl2_pv'))
    expect(stderr).toMatch(/^standard output: /)
    expect((await xr(['convert', '-q', fileOf('ok_xl2_pv'), '-', '--to', 'libxl-v2'])).stderr).toBe('')
    expect(await xr(['convert', fileOf('ok_xl2_pv'), '-', '--to', 'libxl-v2', '--json'])).toMatchObject({ exit: 2 })
  })

  it('leaves nothing behind when the image is cut, and says what to try', async () => {
    const folder = scratch()
    const out = join(folder, 'out')
    const { exit, stderr } = await xr(['convert', fileOf(vector('ok_xl2_pv').subarray(0, 30_000), folder), out, '--to', 'xl'])
    expect(exit).toBe(3)
    expect(stderr).toMatch(/xr: FMT_TRUNCATED: .*\(at byte 30000\)\nhint: try `xr repair`/)
    expect(readdirSync(folder)).toEqual(['guest.save'])
  })

  it('sends a series of checkpoints to xr repair', async () => {
    const { exit, stderr } = await xr(['convert', fileOf('ok_xl2_remus'), join(scratch(), 'out'), '--to', 'libxc-v3'])
    expect(exit).toBe(3)
    expect(stderr).toMatch(/FMT_CHECKPOINTED.*\nhint: .*xr repair/)
  })

  it.each([
    [['--to', 'libxc-v4'], /libxc-v4/],
    [[], /--to is missing/],
    [['--to', 'libxl-v2', '--config', 'x'], /no room for a configuration/],
    [['--to', 'libxc-v3', '--emulator', 'x'], /no room for it/],
  ])('refuses %j', async (options, why) => {
    const out = join(scratch(), 'out')
    const { exit, stderr } = await xr(['convert', fileOf('ok_xl2_pv'), out, ...options])
    expect(exit).toBe(2)
    expect(stderr).toMatch(why)
    expect(existsSync(out)).toBe(false)
  })

  it('tells what else a file is, and which file is missing', async () => {
    expect(await xr(['convert', fileOf(Buffer.from('not an image at all')), join(scratch(), 'out'), '--to', 'xl'])).toMatchObject({ exit: 3, stderr: expect.stringContaining('CLI_NOT_AN_IMAGE') as string })
    expect(await xr(['convert', fileOf('ok_xl2_pv'), join(scratch(), 'out'), '--to', 'xl', '--config', '/no/such/file'])).toMatchObject({ exit: 1, stderr: expect.stringContaining('CLI_FILE_NOT_FOUND') as string })
    expect(await xr(['convert', fileOf('ok_xl2_pv'), scratch(), '--to', 'xl'])).toMatchObject({ exit: 1, stderr: expect.stringContaining('CLI_NOT_A_FILE') as string })
    expect(await xr(['convert', fileOf('ok_xl2_pv'), '/dev/null', '--to', 'libxl-v2'])).toMatchObject({ exit: 0 })
  })
})
