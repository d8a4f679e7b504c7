import { describe, expect, it } from 'vitest'
import { fileOf, vector, xr, xrJson } from './run-xr.ts'

interface Verified {
  readonly files: readonly { readonly findings: readonly Record<string, unknown>[]; readonly pages?: { readonly read: number; readonly digest: number } }[]
}

describe('a verdict on an image', () => {
  it('is a line for each judge when nothing is wrong', async () => {
    const file = fileOf('ok_xl2_hvm')
    const { exit, stdout, stderr } = await xr(['verify', file])
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
    expect(stdout).toMatch(/: accept \(libxl, hvm guest, .* in .*\)\n {2}Xen's restorer +accept\n {2}verify-stream-v2 +accept\n {2}the specification +accept\n$/)
  })

  it('comes with each finding, its place, who minds and what to do', async () => {
    const { exit, stdout } = await xr(['verify', fileOf('bad_xc_pad_nonzero')])
    expect(exit).toBe(3)
    expect(stdout).toMatch(/ {2}error XC_PADDING: .*\n {6}at byte \d+, record \d+ \(libxc\)\n {6}refused by: verify-stream-v2, the specification\n {6}hint: /)
  })

  it('sets the exit status by the judge that was chosen', async () => {
    const file = fileOf('bad_xc_pad_nonzero')
    expect((await xr(['verify', '--by', 'xen', file])).exit).toBe(0)
    expect((await xr(['verify', '--by', 'verifier', file])).exit).toBe(3)
    expect((await xr(['verify', '--by=strict', file])).exit).toBe(3)
  })

  it('depends on what the restorer is told', async () => {
    const file = fileOf('ok_xc_v3_hvm')
    expect((await xr(['verify', '--domain', 'pv', file])).exit).toBe(3)
    expect((await xr(['verify', '--domain', 'hvm', '--format', 'libxc', file])).exit).toBe(0)
    expect((await xr(['verify', '--stream-type', 'plain', fileOf('ok_xc_v3_remus_two')])).exit).toBe(3)
  })

  it('is a document with the keys that are promised', async () => {
    const file = fileOf('bad_xc_pad_nonzero')
    const { exit, document } = await xrJson('verify', file)
    expect(exit).toBe(3)
    expect(document).toMatchObject({
      schema: 'xr.verify/1',
      files: [
        {
          file,
          format: 'libxc',
          guest: 'hvm',
          verdict: { strict: 'reject', xen: 'accept', verifier: 'reject' },
          bytes: vector('bad_xc_pad_nonzero').length,
          seconds: expect.any(Number) as number,
        },
      ],
    })
    expect(Object.keys((document as Verified).files[0]?.findings[0] ?? {})).toEqual(
      expect.arrayContaining(['code', 'severity', 'offset', 'record', 'layer', 'message', 'hint', 'xen', 'verifier']),
    )
  })

  it('reads headers only, or page contents too, when told so', async () => {
    const file = fileOf('ok_xc_v3_pv64')
    expect((await xr(['verify', '--quick', file])).exit).toBe(0)
    const { document } = await xrJson('verify', '--data', file)
    expect((document as Verified).files[0]?.pages).toMatchObject({ read: 8, digest: expect.any(Number) as number })
    expect((await xr(['verify', '--data', file])).stdout).toMatch(/pages: 8 pages read, \d+ of them zero, checksum [0-9a-f]{8}/)
  })

  it('names a header that has a fault by its place', async () => {
    expect((await xr(['verify', fileOf('bad_xc_marker')])).stdout).toMatch(/ {6}at byte 0 \(libxc\)\n/)
  })
})

describe('many images', () => {
  it('are judged one after the other, and one that cannot be read does not stop the rest', async () => {
    const good = fileOf('ok_xc_v3_hvm')
    const { exit, stdout, stderr } = await xr(['verify', good, '/nowhere', fileOf('bad_xc_marker')])
    expect(exit).toBe(1)
    expect(stdout).toMatch(/: accept \((.|\n)*\/nowhere: not read\n(.|\n)*: reject \(/)
    expect(stderr).toMatch(/^xr: CLI_FILE_NOT_FOUND: /)
    expect((await xrJson('verify', good, '/nowhere')).document).toMatchObject({ files: [{ format: 'libxc' }, { file: '/nowhere', error: { code: 'CLI_FILE_NOT_FOUND' } }] })
  })

  it('are a line each with --jsonl', async () => {
    const { stdout } = await xr(['verify', '--jsonl', fileOf('ok_xc_v3_hvm'), fileOf('ok_xl2_pv')])
    expect(stdout.trimEnd().split('\n').map((line) => (JSON.parse(line) as { format: string }).format)).toEqual(['libxc', 'libxl'])
  })
})

it('a signal that came before ends the work with status 8', async () => {
  const { exit, stderr } = await xr(['verify', fileOf('ok_xc_v3_hvm')], { signal: AbortSignal.abort() })
  expect({ exit, stderr }).toMatchObject({ exit: 8, stderr: expect.stringMatching(/^xr: CLI_INTERRUPTED: /) as string })
})
