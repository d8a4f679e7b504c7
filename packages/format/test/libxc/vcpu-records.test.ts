import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { viewOf } from '../../src/bytes/struct.ts'
import { joined } from '../../src/bytes/joined.ts'
import { cr3ToPfn32, cr3ToPfn64, pfnToCr3of32, pfnToCr3of64 } from '../../src/libxc/vcpu-context.ts'
import { x86PvVcpuBasic } from '../../src/libxc/x86-pv-vcpu-basic.ts'
import { x86PvVcpuExtended } from '../../src/libxc/x86-pv-vcpu-extended.ts'
import { x86PvVcpuMsrs } from '../../src/libxc/x86-pv-vcpu-msrs.ts'
import { x86PvVcpuXsave } from '../../src/libxc/x86-pv-vcpu-xsave.ts'
import { busy, thereAndBack, words } from '../frame/there-and-back.ts'

const tooBig = expect.objectContaining({ code: 'FMT_BODY_SIZE' }) as Error
const ofVcpu = (id: number, blob: Uint8Array): Uint8Array => joined(words(id, 0), blob)

describe('the registers of a 64-bit PV guest', () => {
  const blob = busy(5168)
  const at = (offset: number): bigint => viewOf(blob).getBigUint64(offset, true)
  const { vcpuId, state } = x86PvVcpuBasic.decode(ofVcpu(3, blob))
  it('stand where Xen keeps them', () => {
    if (state?.layout !== 'x86_64') throw new Error('the 64-bit layout wanted')
    const { context } = state
    expect(vcpuId).toBe(3)
    expect(context.fpuCtxt).toEqual(blob.slice(0, 512))
    expect([context.flags, context.userRegs.r15, context.userRegs.rax, context.userRegs.rdx]).toEqual([512, 520, 600, 616].map(at))
    expect([context.userRegs.rip, context.userRegs.rflags, context.userRegs.rsp]).toEqual([648, 664, 672].map(at))
    expect(context.userRegs.gs).toBe(viewOf(blob).getUint16(712, true))
    expect([context.trapCtxt[0]?.address, context.trapCtxt[255]?.address]).toEqual([728, 4808].map(at))
    expect([context.ldtBase, context.ldtEnts, context.gdtFrames[0], context.gdtEnts]).toEqual([4816, 4824, 4832, 4960].map(at))
    expect([context.kernelSs, context.kernelSp, context.ctrlreg[1], context.ctrlreg[3], context.debugreg[0]]).toEqual([4968, 4976, 4992, 5008, 5048].map(at))
    expect([context.eventCallbackEip, context.failsafeCallbackEip, context.syscallCallbackEip, context.vmAssist]).toEqual([5112, 5120, 5128, 5136].map(at))
    expect([context.fsBase, context.gsBaseKernel, context.gsBaseUser]).toEqual([5144, 5152, 5160].map(at))
  })
  it('come back byte for byte, filler too', () => {
    thereAndBack(x86PvVcpuBasic, ofVcpu(3, blob))
  })
})

describe('the registers of a 32-bit PV guest', () => {
  const blob = busy(2800)
  const at = (offset: number): number => viewOf(blob).getUint32(offset, true)
  const { state } = x86PvVcpuBasic.decode(ofVcpu(0, blob))
  it('stand where Xen keeps them', () => {
    if (state?.layout !== 'x86_32') throw new Error('the 32-bit layout wanted')
    const { context } = state
    expect([context.flags, context.userRegs.ebx, context.userRegs.edx, context.userRegs.eax]).toEqual([512, 516, 524, 540].map(at))
    expect([context.trapCtxt[0]?.address, context.ldtBase, context.ldtEnts, context.gdtFrames[0], context.gdtEnts]).toEqual([588, 2632, 2636, 2640, 2704].map(at))
    expect([context.kernelSs, context.kernelSp, context.ctrlreg[0], context.ctrlreg[3], context.debugreg[0]]).toEqual([2708, 2712, 2716, 2728, 2748].map(at))
    expect([context.eventCallbackCs, context.eventCallbackEip, context.failsafeCallbackCs, context.failsafeCallbackEip]).toEqual([2780, 2784, 2788, 2792].map(at))
    expect(context.vmAssist).toBe(at(2796))
  })
  it('come back byte for byte, filler too', () => {
    thereAndBack(x86PvVcpuBasic, ofVcpu(0, blob))
  })
})

describe('the root of the page tables', () => {
  it('is a pfn in the upper bits of cr3', () => {
    expect([cr3ToPfn64(0x7fe5000n), pfnToCr3of64(0x7fe5n)]).toEqual([0x7fe5n, 0x7fe5000n])
  })
  it('has room for 32 bits of pfn in 32 bits of cr3', () => {
    expect(pfnToCr3of32(0x12345678)).toBe(0x45678123)
    fc.assert(fc.property(fc.nat(0xffffffff), (pfn) => cr3ToPfn32(pfnToCr3of32(pfn)) === pfn))
  })
})

describe('entry points and machine-check state', () => {
  const blob = Uint8Array.from(busy(64), (byte, i) => (i === 30 || i === 31 ? 0 : byte))
  it('come by name', () => {
    const { state } = x86PvVcpuExtended.decode(ofVcpu(1, words(1, 64, 8, 0, 9, 0, 0x00050004, 0x00000101, 2, 0, 3, 0, 4, 0, 5, 0)))
    expect(state).toMatchObject({ vcpu: 1, size: 64, syscall32CallbackEip: 8n, sysenterCallbackEip: 9n, syscall32CallbackCs: 4, sysenterCallbackCs: 5 })
    expect(state).toMatchObject({ syscall32DisablesEvents: 1, sysenterDisablesEvents: 1, caps: 2n, mciCtl2Bank0: 3n, mciCtl2Bank1: 4n, mcgExtCtl: 5n })
  })
  it('may be longer, up to 128 bytes', () => {
    thereAndBack(x86PvVcpuExtended, ofVcpu(1, blob))
    thereAndBack(x86PvVcpuExtended, ofVcpu(1, joined(blob, busy(64))))
    expect(() => x86PvVcpuExtended.decode(ofVcpu(1, joined(blob, busy(65))))).toThrow(tooBig)
    expect(() => x86PvVcpuExtended.decode(ofVcpu(1, blob.subarray(1)))).toThrow(tooBig)
  })
})

describe('extended state and model-specific registers', () => {
  it('keep the image as it is', () => {
    const body = ofVcpu(0, joined(words(7, 0, 3, 0), busy(576)))
    expect(x86PvVcpuXsave.decode(body)).toEqual({ vcpuId: 0, state: { xcr0: 7n, xcr0Accum: 3n, image: busy(576) } })
    thereAndBack(x86PvVcpuXsave, body)
    expect(() => x86PvVcpuXsave.decode(ofVcpu(0, new Uint8Array(15)))).toThrow(tooBig)
  })
  it('come with the names that Xen knows', () => {
    expect(thereAndBack(x86PvVcpuMsrs, ofVcpu(0, words(0xc0000103, 0, 5, 0, 0x1234, 0, 6, 0)))).toEqual({
      vcpuId: 0,
      state: [
        { name: 'TSC_AUX', index: 0xc0000103, value: '0x5' },
        { index: 0x1234, value: '0x6' },
      ],
    })
    expect(() => x86PvVcpuMsrs.decode(ofVcpu(0, words(1, 0)))).toThrow(tooBig)
  })
})

describe('a vCPU record without content, as old savers wrote it', () => {
  it.each([[x86PvVcpuBasic], [x86PvVcpuExtended], [x86PvVcpuXsave], [x86PvVcpuMsrs]])('is nothing, and comes back: $name', (codec) => {
    expect(thereAndBack(codec, words(2, 0))).toEqual({ vcpuId: 2, state: null })
    expect(codec.decode(words(2, 0))).toEqual({ vcpuId: 2, state: undefined })
    expect(() => codec.decode(words(2))).toThrow(tooBig)
  })
})

it('registers of no known layout are refused', () => {
  expect(() => x86PvVcpuBasic.decode(ofVcpu(0, new Uint8Array(5160)))).toThrow(/5168 or 2800 bytes after the vCPU number wanted, 5160/)
  expect(() => x86PvVcpuBasic.fromJson({ vcpuId: 0, state: { layout: 'arm' } })).toThrow(expect.objectContaining({ code: 'FMT_JSON' }))
})
