import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { fileOf, scratch, vector, xr, xrJson } from './run-xr.ts'

describe('xr decode', () => {
  it('writes the document, with and without --json', async () => {
    const path = fileOf('ok_xlfile_tiny')
    const { exit, stdout, stderr } = await xr(['decode', path])
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
    expect(stdout).toMatch(/^\{"schema":"xr\.decode\/1","format":"xl","items":\[\n\{"kind":"xl-header",/)
    expect(stdout).not.toContain(path)
    expect((await xrJson('decode', path)).document).toEqual(JSON.parse(stdout))
  })

  it('becomes the same bytes again through xr encode, whatever they were', async () => {
    for (const name of ['ok_xlfile_pv', 'gold_xc_hvm_remus', 'bad_xc_pad_nonzero', 'bad_xc_pd_count_huge', 'bad_xc_empty', 'odd_xc_remus_cut_initial', 'legacy/legacy_pv64']) {
      const folder = scratch()
      const [document, out] = [join(folder, 'json'), join(folder, 'out')]
      writeFileSync(document, (await xr(['decode', fileOf(name, folder)])).stdout)
      expect((await xr(['encode', document, '-o', out])).exit).toBe(0)
      expect(readFileSync(out).equals(vector(name))).toBe(true)
    }
  })

  it('puts page contents into a file of their own when asked to', async () => {
    const folder = scratch()
    const [document, pages, out] = ['json', 'pages', 'out'].map((name) => join(folder, name)) as [string, string, string]
    const { stdout } = await xr(['decode', '--pages', pages, fileOf('gold_xc_hvm_live', folder)])
    expect(stdout).toContain('"pages":{"at":0,"count":')
    expect(stdout.length).toBeLessThan(10_000)
    expect(readFileSync(pages).length % 4096).toBe(0)
    writeFileSync(document, stdout)
    expect((await xr(['encode', '--pages', pages, '-o', out, document])).exit).toBe(0)
    expect(readFileSync(out).equals(vector('gold_xc_hvm_live'))).toBe(true)
  })

  it('says on stderr where an image is damaged, and goes on', async () => {
    const cut = await xr(['decode', fileOf(vector('ok_xc_v3_hvm').subarray(0, 5000))])
    expect(cut.exit).toBe(0)
    expect(cut.stderr).toMatch(/^xr: warning: .*guest\.save: the image ends too early \(at byte 5000\)\n$/)
    const lost = await xr(['decode', fileOf('bad_xl2_version3')])
    expect(lost.stderr).toMatch(/the rest cannot be told and is kept as bytes \(at byte 16\)\n$/)
    const other = await xr(['decode', fileOf(Buffer.from('something else'))])
    expect(other).toMatchObject({ exit: 0, stderr: expect.stringContaining('no Xen image begins with 73 6f 6d') as string })
    expect(other.stdout).toContain('"kind":"unknown"')
    const packed = await xr(['decode', fileOf(gzipSync('x'))])
    expect(packed).toMatchObject({ exit: 0, stderr: expect.stringContaining('compressed with gzip (at byte 0); unpack it') as string })
    const told = await xr(['decode', '--format', 'libxc', fileOf('bad_xc_marker')])
    expect(told.stderr).toBe('')
    expect(told.stdout).toContain('"name":"HVM_CONTEXT"')
  })

  it('leaves no file of pages behind when there is no image', async () => {
    const pages = join(scratch(), 'pages')
    expect((await xr(['decode', '--pages', pages, join(scratch(), 'none')])).exit).toBe(1)
    expect(existsSync(pages)).toBe(false)
  })

  it('ends quietly when its reader has seen enough', async () => {
    expect(await xr(['decode', fileOf('gold_xc_hvm_live')], { readerLeavesAfter: 100 })).toMatchObject({ exit: 0, stderr: '' })
  })
})
