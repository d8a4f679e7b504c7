import { describe, expect, it } from 'vitest'
import { fileOf, vector, xr, xrJson } from './run-xr.ts'

const show = async (name: string | Uint8Array, ...options: string[]): Promise<string> => {
  const { exit, stdout, stderr } = await xr(['show', ...options, fileOf(name)])
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
  return stdout
}

describe('what xr show tells', () => {
  it('of a PV guest: layers, width, memory by type, vCPUs, and that it would restore', async () => {
    const text = await show('ok_xlfile_pv')
    expect(text).toMatch(/container {2}xl file \(stream version 2\)\n +libxl stream version 2\n +libxc image version 3, little-endian/)
    expect(text).toMatch(/guest {6}PV, 64 bit/)
    expect(text).toMatch(/types {6}.*L4TAB/)
    expect(text).toMatch(/ {2}id {2}mode {4}rip/)
    expect(text).toMatch(/would restore: yes\n$/)
  })

  it('of an HVM guest: context, parameters, device model', async () => {
    const text = await show('ok_xl2_hvm')
    expect(text).toMatch(/HVM context {2}.*HEADER/)
    expect(text).toMatch(/HVM params {3}STORE_PFN 0x/)
    expect(text).toMatch(/emulator {5}qemu, /)
    expect(text).toContain('HVM or PVH (only a configuration would tell)')
  })

  it('of a guest that would not restore: why, and what to do', async () => {
    expect(await show('bad_xc_vcpu_cr3_type')).toMatch(/would restore: no, XC_[A-Z0-9_]+ at byte \d+: .*\nhint: .*\n$/)
  })

  it('of an image that is not as specified but restores', async () => {
    expect(await show('bad_xc_pad_nonzero')).toMatch(/would restore: yes, though it is not as specified \(\d+ findings?, see `xr verify`\)/)
  })

  it('of a cut image: where it ends', async () => {
    const whole = vector('ok_xc_v3_hvm')
    expect(await show(whole.subarray(0, whole.length - 4))).toMatch(/ends {7}the bytes end within a record's head, at byte \d+/)
  })

  it('of checkpoints: how many are complete', async () => {
    expect(await show('ok_xl2_remus')).toMatch(/checkpoints {2}\d+ complete \(remus\)/)
  })

  it('of what follows the end', async () => {
    const image = vector('ok_xc_v3_hvm')
    const permission = Buffer.from('domain is yours, you are cleared to unpause\0')
    expect(await show(Buffer.concat([image, permission]))).toContain('44 bytes: the permission message of xl migrate')
    expect(await show(Buffer.concat([image, Buffer.alloc(512)]))).toContain('512 bytes: zero bytes')
    expect(await show(Buffer.concat([image, Buffer.from('x')]))).toMatch(/behind it {2}1 byte\n/)
  })

  it('of page contents only when asked for', async () => {
    expect(await show('ok_xc_v3_hvm')).not.toMatch(/\n {2}zero /)
    expect(await show('ok_xc_v3_hvm', '--data')).toMatch(/\n {2}zero +\d+ of \d+ pages sent/)
  })

  it('of a legacy stream', async () => {
    const text = await show('legacy/legacy_hvm64')
    expect(text).toMatch(/container {2}legacy stream/)
    expect(text).toMatch(/guest {6}HVM\n/)
    expect(text).toMatch(/saved by {5}a 64-bit toolstack/)
  })

  it('as one document', async () => {
    const { exit, document } = await xrJson('show', fileOf('ok_xlfile_pv'))
    expect(exit).toBe(0)
    expect(document).toMatchObject({
      schema: 'xr.show/1',
      format: 'xl',
      guest: 'pv',
      libxc: { version: 3, width: 64, vcpus: [{ id: 0, rip: expect.stringMatching(/^0x/) as string }], memory: { types: expect.any(Object) as object } },
      verdict: { xen: 'accept' },
      restores: { would: true },
      end: { reason: 'end' },
      seconds: expect.any(Number) as number,
    })
    expect((await xrJson('show', fileOf('legacy/legacy_pv64'))).document).toMatchObject({ format: 'legacy', guest: 'pv', legacy: { width: 64 } })
  })
})
