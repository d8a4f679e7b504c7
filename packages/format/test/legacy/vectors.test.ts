import { describe, expect, it } from 'vitest'
import { isXrError } from '@xen-replication/errors'
import { checkLegacy } from '../../src/legacy/check.ts'
import { summariseLegacy } from '../../src/legacy/summary.ts'
import { goodVectors, legacyBytes, legacyVectors } from './legacy-vectors.ts'
import { choppedReader, converted, readerOf, reencoded } from './streams.ts'

describe.each(goodVectors)('$name, a stream that Xen converts', ({ name, guest, width }) => {
  const bytes = legacyBytes(name)

  it('converts to the bytes that Xen’s converter wrote', async () => {
    expect(Buffer.compare(await converted(bytes, { to: 'libxl-v2', guest, width }), legacyBytes(`${name}.libxl`))).toBe(0)
    expect(Buffer.compare(await converted(bytes, { to: 'libxc-v3', guest, width }), legacyBytes(`${name}.libxc`))).toBe(0)
  })
  it('tells its kind by itself and is free of findings', async () => {
    expect(await checkLegacy(readerOf(bytes))).toMatchObject({ findings: [], suppressed: 0, strict: 'accept', xen: 'accept', guest, width, complete: true, bytes: bytes.length })
  })
  it('is the same after decoding and encoding, however the bytes arrive', async () => {
    expect(Buffer.compare(await reencoded(bytes), bytes)).toBe(0)
    for (const sizes of [[1], [3, 4099], [1000]]) expect(Buffer.compare(await reencoded(bytes, {}, choppedReader(bytes, sizes)), bytes)).toBe(0)
  })
  it('is reported as cut wherever it is cut', { timeout: 60_000 }, async () => {
    const inFill = (end: number): boolean => end > 200 && end < bytes.length - 400 && bytes[end] === bytes[end - 1] && end % 61 !== 0
    for (let end = 0; end < bytes.length; end++) {
      if (inFill(end)) continue
      const { findings, complete } = await checkLegacy(readerOf(bytes.subarray(0, end)))
      if (complete || findings.length !== 1 || findings[0]?.code !== 'LG_TRUNCATED' || findings[0].offset > end) expect.fail(`cut at ${end}: ${JSON.stringify(findings)}`)
    }
    await expect(converted(bytes.subarray(0, -1), { to: 'libxl-v2' })).rejects.toMatchObject({ code: 'FMT_TRUNCATED', offset: bytes.length - 1 })
  })
  it('gives a clean error or a result with any bit turned over', { timeout: 60_000 }, async () => {
    const places = Array.from(bytes.keys()).filter((at) => at < 64 || at > bytes.length - 400 || at % 97 === 0)
    for (const [i, at] of places.entries()) {
      const damaged = bytes.slice()
      damaged[at] = (damaged[at] as number) ^ (1 << (i % 8))
      await checkLegacy(readerOf(damaged), { guest, width })
      const to = i % 2 === 0 ? 'libxl-v2' : 'libxc-v3'
      const error = await converted(damaged, { to, guest, width }).then(() => undefined, (reason: unknown) => reason)
      expect(error === undefined || isXrError(error), `bit turned at ${at}: ${String(error)}`).toBe(true)
    }
  })
})

describe.each(legacyVectors.filter((vector) => !goodVectors.includes(vector)))('$name: $reason', ({ name, guest, width }) => {
  const bytes = legacyBytes(name)
  const expected = {
    legacy_bad_chunk: ['LG_CHUNK_UNKNOWN', 'FMT_LEGACY_CHUNK'],
    legacy_bad_tmem: ['LG_TMEM', 'FMT_LEGACY_UNSUPPORTED'],
    legacy_bad_compress: ['LG_COMPRESSION', undefined],
    legacy_bad_batch: ['LG_BATCH_SIZE', 'FMT_LEGACY_CHUNK'],
    legacy_bad_trunc: ['LG_TRUNCATED', 'FMT_TRUNCATED'],
    legacy_bad_qemusig: ['LG_QEMU_KIND', undefined],
  }[name] as unknown as readonly [string, string | undefined]

  it('is refused by Xen, with one finding', async () => {
    const { findings, xen } = await checkLegacy(readerOf(bytes), { guest, width })
    expect(findings.map(({ code }) => code)).toEqual([expected[0]])
    expect(xen).toBe('reject')
  })
  it('converts only where that takes no more than to know better', async () => {
    const [, code] = expected
    const conversion = converted(bytes, { to: 'libxl-v2', guest, width })
    if (code !== undefined) {
      await expect(conversion).rejects.toMatchObject({ code })
      return
    }
    const good = legacyBytes('legacy_hvm64.libxl')
    const upToEmulator = good.length - 40 // the record of 20 bytes with its head and padding, END
    expect(Buffer.compare((await conversion).subarray(0, upToEmulator), good.subarray(0, upToEmulator))).toBe(0)
  })
})

it('a 64-bit PV stream sums up to what was saved', async () => {
  const bytes = legacyBytes('legacy_pv64')
  expect(await summariseLegacy(readerOf(bytes))).toMatchObject({ guest: 'pv', width: 64, guestWidth: 64, pages: 9n, vcpus: [0], bytes: bytes.length })
})
