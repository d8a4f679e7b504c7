import { describe, expect, it } from 'vitest'
import { fileOf, vector, xr, xrJson } from './run-xr.ts'

describe('xr diff', () => {
  it('says nothing of images that are the same', async () => {
    expect(await xr(['diff', fileOf('ok_xlfile_pv'), fileOf('ok_xlfile_pv')])).toEqual({ exit: 0, stdout: '', stderr: '' })
    expect(await xrJson('diff', fileOf('ok_xl2_hvm'), fileOf('ok_xl2_hvm'))).toMatchObject({ exit: 0, document: { schema: 'xr.diff/1', same: true, sameGuest: true } })
  })

  it('tells what differs, by names and pfns', async () => {
    const bytes = vector('gold_xc_hvm_live')
    bytes[bytes.length - 1000] = 77 // in the context
    bytes[100_000] = 77 // overwritten by a later pass
    bytes[226_000 + 100_000] = 77
    const [a, b] = [fileOf('gold_xc_hvm_nonlive'), fileOf(bytes)]
    const { exit, stdout } = await xr(['diff', a, b])
    expect(exit).toBe(3)
    expect(stdout).toMatch(new RegExp(`^--- ${a}\n\\+\\+\\+ ${b}\n`))
    expect(stdout).toMatch(/records: .*in different numbers\n {4}PAGE_DATA: \d+ → \d+\n/)
    expect(stdout).toMatch(/memory\n(.*\n)*? {2}\d+ pages? of other contents, \d+ pages compared:\n {4}pfn 0x/)
  })

  it('tells of a missing configuration, device model and container', async () => {
    const { exit, stdout } = await xr(['diff', fileOf('ok_xlfile_pv'), fileOf('ok_xl2_pv')])
    expect(exit).toBe(3)
    expect(stdout).toMatch(/headers: 1 difference\n {2}- xl: /)
    expect(stdout).toMatch(/configuration: 1 difference\n {2}- \(all\): /)
    expect((await xr(['diff', fileOf('ok_xl2_hvm'), fileOf('ok_xc_v3_hvm')])).stdout).toMatch(/device model state: differs\n {4}\d+ B → none\n/)
    expect((await xr(['diff', fileOf('ok_xc_v3_hvm'), fileOf('ok_xl2_hvm')])).stdout).toMatch(/headers: 1 difference\n {2}\+ libxl: /)
  })

  it('lets the guests alone decide when told', async () => {
    const folderless = vector('gold_xc_hvm_remus')
    const [a, b] = [fileOf(folderless), fileOf(folderless)]
    expect((await xr(['diff', '--guest', a, b])).exit).toBe(0)
    const libxl = fileOf('ok_xl2_pv')
    const { exit, stdout } = await xr(['diff', '--guest', fileOf('ok_xc_v3_pv64'), libxl])
    expect(exit).toBe(0)
    expect(stdout).toMatch(/the guests are the same, their images are not\n$/)
  })

  it('lists as much as wanted, and counts all', async () => {
    const [a, b] = [fileOf('gold_xc_hvm_nonlive'), fileOf('ok_xc_v3_hvm')]
    const { document } = await xrJson('diff', a, b, '--limit', '1')
    const { pages } = document as { pages: { onlyA: { pages: number; total: number; list: unknown[] } } }
    expect(pages.onlyA.list).toHaveLength(1)
    expect(pages.onlyA.pages).toBeGreaterThan(1)
    expect((await xr(['diff', a, b, '-n', '1'])).stdout).toMatch(/… \d+ more, see --limit/)
    expect((await xr(['diff', a, b, '-n', 'all'])).exit).toBe(2)
  })

  it('compares the last complete checkpoint, and warns of what it leaves out', async () => {
    const whole = vector('gold_xc_hvm_remus')
    const cut = fileOf(whole.subarray(0, whole.length - 20_000))
    const { exit, stderr } = await xr(['diff', cut, fileOf(whole)])
    expect(exit).toBe(3)
    expect(stderr).toContain(`xr: warning: ${cut}: the image ends within a record`)
  })

  it('refuses what it cannot compare', async () => {
    expect(await xr(['diff', '-', '-'])).toMatchObject({ exit: 2, stderr: expect.stringContaining('only one of the images') as string })
    expect(await xr(['diff', fileOf('ok_xl2_pv'), fileOf('legacy/legacy_pv64')])).toMatchObject({ exit: 3, stderr: expect.stringContaining('FMT_LEGACY') as string })
    expect(await xr(['diff', fileOf('ok_xl2_pv'), '/no/such/file'])).toMatchObject({ exit: 1 })
  })
})
