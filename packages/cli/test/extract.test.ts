import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fileOf, scratch, vector, xr, xrJson } from './run-xr.ts'

const hasReadelf = spawnSync('readelf', ['--version']).status === 0

describe('xr extract', () => {
  it('writes a core file that other tools read', async () => {
    const out = join(scratch(), 'core')
    const { exit, document } = await xrJson('extract', fileOf('gold_xc_pv64_nonlive'), out, '--core')
    expect(exit).toBe(0)
    expect(document).toMatchObject({ schema: 'xr.extract/1', out, part: 'core', elfClass: 64, vcpus: 1, base: 65536, bytes: statSync(out).size, whole: true })
    expect(readFileSync(out).subarray(0, 5)).toEqual(Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2]))
    if (!hasReadelf) return
    const { stdout, stderr } = spawnSync('readelf', ['-hln', out], { encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(stdout).toMatch(/CORE \(Core file\)/)
    expect(stdout).toMatch(/Advanced Micro Devices X86-64/)
    expect(stdout).toMatch(/NT_PRSTATUS/)
    expect(stdout).toMatch(/LOAD +0x0*10000 /)
  })

  it('writes memory with each page at its place, and leaves zeros out', async () => {
    const folder = scratch()
    const [file, core] = [join(folder, 'memory'), join(folder, 'core')]
    const image = fileOf('gold_xc_hvm_nonlive', folder)
    const { stdout } = await xr(['extract', image, file, '--memory'])
    expect(stdout).toMatch(/memory, \d+ pages with contents, .* with holes\n$/)
    await xr(['extract', image, core, '--core'])
    const memory = readFileSync(file)
    expect(readFileSync(core).subarray(65536).equals(memory)).toBe(true)
    expect(memory.some((byte) => byte !== 0)).toBe(true)
    expect(memory.length % 4096).toBe(0)
    expect(Buffer.from((await xr(['extract', image, '-', '--memory'])).stdout, 'latin1').equals(memory)).toBe(true)
  })

  it('writes the configuration without its NUL, of a cut image too', async () => {
    const text = (await xr(['extract', fileOf('ok_xlfile_pv'), '-', '--config'])).stdout
    expect(text).toMatch(/^\{.*\}\n?$/s)
    const out = join(scratch(), 'config')
    const { exit, document } = await xrJson('extract', fileOf(vector('ok_xlfile_pv').subarray(0, 5000)), out, '--config')
    expect({ exit, document }).toMatchObject({ exit: 0, document: { part: 'config', bytes: text.length } })
    expect(readFileSync(out, 'utf8')).toBe(text)
  })

  it('writes the device model’s state as it gave it', async () => {
    const out = join(scratch(), 'qemu')
    expect((await xr(['extract', fileOf('ok_xl2_tiny'), out, '--emulator'])).exit).toBe(0)
    expect(readFileSync(out)).toEqual(Buffer.from([0x51, 0x45, 0x56, 0x4d, 0, 0, 0, 3]))
    expect((await xr(['extract', fileOf('ok_xl2_remus'), '-', '--emulator'])).stdout).toMatch(/^QEVM/)
  })

  it('tells with 4 and a warning that not all of the image counts', async () => {
    const bytes = vector('gold_xc_hvm_remus')
    const { exit, stderr } = await xr(['extract', fileOf(bytes.subarray(0, bytes.length - 5)), join(scratch(), 'memory'), '--memory'])
    expect(exit).toBe(4)
    expect(stderr).toMatch(/^xr: warning: the image ends within a record .* complete checkpoints? does\n$/)
  })

  it('tells what an image does not hold', async () => {
    const out = join(scratch(), 'out')
    for (const [name, option] of [['ok_xc_v3_hvm', '--config'], ['ok_xl2_pv', '--config'], ['bad_xlfile_noopt', '--config'], ['ok_xl2_pv', '--emulator'], ['ok_xc_v3_hvm', '--emulator']] as const) {
      expect(await xr(['extract', fileOf(name), out, option])).toMatchObject({ exit: 1, stderr: expect.stringMatching(/CLI_NOT_IN_IMAGE.*\nhint: /) as string })
    }
    expect(await xr(['extract', fileOf(Buffer.from('no image')), out, '--config'])).toMatchObject({ exit: 3, stderr: expect.stringContaining('CLI_NOT_AN_IMAGE') as string })
    expect(await xr(['extract', fileOf(Buffer.from('no image')), out, '--core'])).toMatchObject({ exit: 3, stderr: expect.stringContaining('CLI_NOT_AN_IMAGE') as string })
    expect(existsSync(out)).toBe(false)
  })

  it('refuses a file larger than allowed', async () => {
    const image = fileOf('gold_xc_hvm_nonlive')
    const out = join(scratch(), 'out')
    expect(await xr(['extract', image, out, '--memory', '--max-size', '64KiB'])).toMatchObject({ exit: 3, stderr: expect.stringMatching(/FMT_PFN_RANGE.*\nhint: .*--max-size/) as string })
    expect((await xr(['extract', image, out, '--memory', '--max-size', '1.5 GiB'])).exit).toBe(0)
    for (const size of ['much', '64', '1e9', '-1']) expect([2, 3]).toContain((await xr(['extract', image, out, '--memory', `--max-size=${size}`])).exit)
  })

  it('wants to be told one part', async () => {
    expect(await xr(['extract', fileOf('ok_xl2_pv'), 'x'])).toMatchObject({ exit: 2, stderr: expect.stringContaining('what to extract is missing') as string })
    expect(await xr(['extract', fileOf('ok_xl2_pv'), 'x', '--core', '--memory'])).toMatchObject({ exit: 2, stderr: expect.stringContaining('exclude each other') as string })
    expect(await xr(['extract', fileOf('ok_xl2_pv'), '-', '--core', '--json'])).toMatchObject({ exit: 2 })
  })
})
