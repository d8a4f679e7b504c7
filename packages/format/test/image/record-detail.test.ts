import { describe, expect, it } from 'vitest'
import { emulator, hvm, join, libxl, longs, p2m, pageData, piece, pv, pvInfo, record, remus, vcpuBasic, words, zeros } from '../rules/image-builder.ts'
import { details } from './summarise.ts'

const saidOf = async (image: Parameters<typeof details>[0]): Promise<Record<string, string>> =>
  Object.fromEntries((await details(image)).map(([name, detail]) => [name ?? 'unknown', detail]))

describe('the line about a record', () => {
  it('sums up the entries of PAGE_DATA', async () => {
    expect(await saidOf({ ...hvm, pages: pageData([[16, 0xf], [3, 0], [4, 0]], zeros(8192)) })).toMatchObject({ PAGE_DATA: 'pfns 3 to 16: 1 XTAB, 2 NOTAB' })
  })

  it('says what the first words of a PV record hold', async () => {
    const others = [record(0x05, join(words(2, 0), zeros(64))), record(0x06, join(words(1, 0), zeros(16))), record(0x0c, words(0, 0))]
    expect(await saidOf({ ...pv, info: pvInfo(), p2m: p2m(0, 1, 0n), vcpu: vcpuBasic({ id: 1 }), beforeEnd: others })).toMatchObject({
      X86_PV_INFO: '64-bit guest, 4 page-table levels',
      X86_PV_P2M_FRAMES: 'pfns 0 to 1, 1 frames',
      X86_PV_VCPU_BASIC: 'vCPU 1, 5168 bytes',
      X86_PV_VCPU_EXTENDED: 'vCPU 2, 64 bytes',
      X86_PV_VCPU_MSRS: 'vCPU 0, 0 bytes',
    })
  })

  it('counts the rows of tables', async () => {
    const rows = [record(0x0a, join(words(1, 0), longs(1n, 2n))), record(0x08, join(words(2, 5), zeros(16))), record(0x11, zeros(48)), record(0x12, zeros(16)), record(0x0f, zeros(16))]
    expect(await saidOf({ ...hvm, beforeEnd: rows })).toMatchObject({
      HVM_PARAMS: '1 parameters',
      X86_TSC_INFO: 'mode 2, 5 kHz',
      X86_CPUID_POLICY: '2 leaves',
      X86_MSR_POLICY: '1 registers',
      CHECKPOINT_DIRTY_PFN_LIST: '2 pfns',
    })
  })

  it('tells the device model and the states of COLO', async () => {
    expect(await saidOf({ ...libxl, emulator: emulator() })).toMatchObject({ EMULATOR_CONTEXT: 'qemu, 4 bytes of state', LIBXC_CONTEXT: '' })
    expect(await saidOf({ ...remus, behind: record(0x05, words(0)) })).toMatchObject({ CHECKPOINT_STATE: 'NEW' })
    expect(await saidOf({ ...remus, behind: record(0x05, words(9)) })).toMatchObject({ CHECKPOINT_STATE: 'state 9' })
  })

  it('says so when a body is too short', async () => {
    expect(await saidOf({ ...libxl, emulator: record(0x03, words(2)), beforeEnd: record(0x05, zeros(2)) })).toMatchObject({ EMULATOR_CONTEXT: 'too short', CHECKPOINT_STATE: 'too short' })
    expect(await saidOf({ ...hvm, beforeEnd: record(0x08, words(0)) })).toMatchObject({ X86_TSC_INFO: 'too short' })
  })

  it('says nothing where the name says all, and of unknown types', async () => {
    expect(await saidOf({ ...hvm, beforeEnd: record(0x55, zeros(8)), behind: piece(zeros(4)) })).toMatchObject({ END: '', unknown: '' })
  })
})
