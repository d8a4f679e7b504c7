import { describe, expect, it } from 'vitest'
import { fileOf, vector, xr, xrJson } from './run-xr.ts'

interface Listed {
  readonly records: readonly { readonly kind: string; readonly name: string; readonly offset: number; readonly index?: number; readonly length: number }[]
}

describe('the records of an image', () => {
  it('are a line each, headers and the end too', async () => {
    const { exit, stdout } = await xr(['records', fileOf('ok_xlfile_pv')])
    const lines = stdout.trimEnd().split('\n')
    expect(exit).toBe(0)
    expect(lines[0]).toMatch(/index +layer +offset +type +length +summary/)
    expect(lines[1]).toMatch(/- +xl +0 +xl-header +48 +mandatory flags 0x3/)
    expect(stdout).toMatch(/\n +\d+ +libxc +\d+ +PAGE_DATA +\d+ +pfns 0 to 8: /)
    expect(lines.at(-1)).toMatch(/stop +0 +complete/)
  })

  it('can be limited', async () => {
    expect((await xr(['records', '-n', '2', fileOf('ok_xc_v3_hvm')])).stdout.split('\n')).toHaveLength(4)
  })

  it('are one document, or a document a line', async () => {
    const file = fileOf('ok_xl2_hvm')
    const { document } = await xrJson('records', file)
    const { records } = document as Listed
    expect(document).toMatchObject({ schema: 'xr.records/1', file })
    const { stdout } = await xr(['records', '--jsonl', file])
    expect(stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as unknown)).toEqual(records)
    expect(records.filter(({ kind }) => kind === 'record').map(({ index }) => index)).toEqual([...records.filter(({ kind }) => kind === 'record').keys()])
  })

  it('lie where they say', async () => {
    const bytes = vector('ok_xc_v3_pv64')
    const { records } = (await xrJson('records', fileOf(bytes))).document as Listed
    for (const { kind, offset, length } of records) if (kind === 'record') expect(bytes.readUInt32LE(offset + 4)).toBe(length)
  })

  it.each([
    ['bad_xc_pad_nonzero', /padding +\d+ +not zero, after record \d+/],
    ['bad_xc_type_7fffffff', /unknown 0x7fffffff/],
    ['bad_xc_no_end', /stop +0 +the bytes end before an END record/],
    ['bad_xc_rhdr_short', /stop +\d +the bytes end within a record's head/],
    ['bad_xl2_version3', /stop +0 +what follows cannot be told/],
    ['legacy/legacy_pv64', /legacy +\d+ +vcpu +\d+ +vCPU 0/],
  ])('of %s show what is odd', async (name, says) => {
    expect((await xr(['records', fileOf(name)])).stdout).toMatch(says)
  })

  it('of a damaged legacy stream end with the error, in the same document', async () => {
    const file = fileOf('legacy/legacy_bad_chunk')
    const { exit, document } = await xrJson('records', file)
    expect(exit).toBe(3)
    expect(document).toMatchObject({ schema: 'xr.records/1', error: { code: expect.stringMatching(/^FMT_/) as string } })
    const { stderr, stdout } = await xr(['records', '--jsonl', file])
    expect(stderr).toMatch(/^xr: FMT_/)
    expect(stdout).toMatch(/\{"error":\{"code":"FMT_.*\}\n$/)
    expect((await xr(['records', file])).exit).toBe(3)
  })
})
