import { expect, it } from 'vitest'
import * as format from '../src/index.ts'
import { bits, ByteReader, encodeRecord, libxc, libxcCodec, libxl, libxlCodec, list, sourceOfBytes, struct, structCodec, u8, verify, XC, XL2 } from '../src/index.ts'

it('codecs of records are had by name and by type', () => {
  for (const codec of Object.values(libxc)) expect(libxcCodec(codec.type)).toBe(codec)
  for (const codec of Object.values(libxl)) expect(libxlCodec(codec.type)).toBe(codec)
  expect(encodeRecord(XC.X86_PV_INFO, libxc.x86PvInfo.encode({ guestWidth: 8, ptLevels: 4 }))).toEqual(Uint8Array.of(2, 0, 0, 0, 8, 0, 0, 0, 8, 4, 0, 0, 0, 0, 0, 0))
  expect(encodeRecord(XL2.END, libxl.end.encode({}))).toEqual(new Uint8Array(8))
})

it('layouts of one’s own are made of fields', () => {
  const codec = structCodec('a lamp', struct(4, { flags: bits({ lit: 1, colour: 7 }), rgb: list(3, u8) }))
  const bytes = Uint8Array.of(5, 10, 20, 30)
  expect(codec.decode(bytes)).toEqual({ flags: { lit: 1, colour: 2 }, rgb: [10, 20, 30] })
  expect(codec.encode(codec.fromJson(codec.toJson(codec.decode(bytes))))).toEqual(bytes)
})

it('each rule that a finding names is in the tables', async () => {
  const { findings } = await verify(new ByteReader(sourceOfBytes(new Uint8Array(40).fill(0xff))))
  expect(findings.length).toBeGreaterThan(0)
  for (const { code } of findings) expect({ ...format.rules, ...format.LEGACY_RULES }).toHaveProperty(code)
})
