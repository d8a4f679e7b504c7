import { expect, it } from 'vitest'
import { xsaveAreas } from '../../src/libxc/xsave-areas.ts'
import { busy } from '../frame/there-and-back.ts'

const named = (accum: bigint, size: number): readonly (readonly [string, number, number])[] =>
  xsaveAreas(accum, busy(size)).map(({ name, offset, bytes }) => [name, offset, bytes.length] as const)
const front = [['legacy', 0, 512], ['header', 512, 64]] as const
const avx = ['AVX', 576, 256] as const

it.each([
  ['nothing but FPU and SSE', 3n, 576, front],
  ['AVX', 7n, 832, [...front, avx]],
  ['an Intel machine with AVX-512 and PKRU', 0x2e7n, 2696, [...front, avx, ['OPMASK', 1088, 64], ['ZMM_HI256', 1152, 512], ['HI16_ZMM', 1664, 1024], ['PKRU', 2688, 8]]],
  ['an Intel machine with MPX', 0x1fn, 1088, [...front, avx, ['BNDREGS', 960, 64], ['BNDCSR', 1024, 64]]],
  ['an AMD machine with AVX-512 and PKRU', 0x2e7n, 2440, [...front, avx, ['OPMASK', 832, 64], ['ZMM_HI256', 896, 512], ['HI16_ZMM', 1408, 1024], ['PKRU', 2432, 8]]],
  ['a length that fits no known layout', 0x2e7n, 3000, [...front, avx]],
  ['a component that is not known', 0x40007n, 832, [...front, avx]],
  ['an image that is cut', 7n, 600, front],
  ['nothing at all', 0n, 0, []],
] as const)('the parts of an extended state are named: %s', (_, accum, size, parts) => {
  expect(named(accum, size)).toEqual(parts)
})

it('a part has the bytes of its place', () => {
  expect(xsaveAreas(7n, busy(832))[2]?.bytes).toEqual(busy(832).slice(576))
})
