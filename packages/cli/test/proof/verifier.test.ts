import { createMockHost, virtualClock } from '@xen-replication/backend-mock'
import { describe, expect, it } from 'vitest'
import { bench, worked } from '../domains/bench.ts'
import { differences } from '../domains/guest-diff.ts'
import { fileOf } from '../run-xr.ts'
import { imageOf, streamOf } from './streams.ts'
import { hasVerifier, objections } from './verifier.ts'

describe('what is proved here is proved by judges that can say no', () => {
  it('one page of a guest that is another one is a difference', async () => {
    const from = await bench()
    const domId = await worked(from, { kind: 'pvh' })
    await streamOf(from.host, domId, 'stopped')
    const before = await imageOf(from.host, domId)
    await from.host.inspect(domId, (view) => void view.page(600)?.fill(0x5a, 7, 8))
    expect(await differences('pvh', before, await imageOf(from.host, domId))).toEqual(['page 600'])
  })

  it('a guest that lacks what another has is a difference', async () => {
    const [one, other] = [createMockHost({ clock: virtualClock() }), createMockHost({ clock: virtualClock() })]
    const images = await Promise.all([[one, 1] as const, [other, 2] as const].map(async ([host, vcpus]) => {
      const domId = await host.createGuest({ name: 'demo', kind: 'pv', memoryBytes: 4 << 20, vcpus })
      return streamOf(host, domId, 'stopped')
    }))
    expect(await differences('pv', images[0] as Uint8Array, images[1] as Uint8Array)).not.toEqual([])
  })
})

describe('Xen’s own verifier (`node tools/fetch-verifier.mjs` fetches it; the tests that ask it pass without its word where it is not)', () => {
  it('is here where XR_REQUIRE_VERIFIER asks for it', () => expect(hasVerifier || process.env['XR_REQUIRE_VERIFIER'] !== '1').toBe(true))

  it.skipIf(!hasVerifier)('accepts a stream, and refuses one whose image has another marker', async () => {
    const from = await bench()
    const stream = await streamOf(from.host, await worked(from, { kind: 'pv' }), 'stopped')
    expect(await objections(fileOf(stream), 'libxl')).toBe('')
    stream[24] = 0x77
    expect(await objections(fileOf(stream), 'libxl')).toMatch(/Bad image marker/)
  })
})
