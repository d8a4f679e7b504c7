import { ByteReader, sourceOfBytes, verify } from '@xen-replication/format'
import type { SaveOptions } from '@xen-replication/libxc-stream'
import { describe, expect, it } from 'vitest'
import { saved } from './driver.ts'
import { goldHvm, goldPv, type Gold } from './gold.ts'

const guests: readonly [string, Gold][] = [
  ['HVM', goldHvm('gold_xc_hvm_live')],
  ['64-bit PV', goldPv('gold_xc_pv64_nonlive', 8)],
  ['32-bit PV', goldPv('gold_xc_pv32_nonlive', 4)],
]

describe('an image that was saved', () => {
  for (const [what, gold] of guests) {
    for (const mode of ['stopped', 'live', 'checkpointed'] as const) {
      for (const holes of ['as-xen', 'left-out'] as const) {
        it(`is accepted by Xen and by the specification: ${what}, ${mode}, holes ${holes}`, async () => {
          const options: SaveOptions = { mode, holes, verify: true }
          const { bytes } = await saved(gold.guest(), { options, checkpoints: mode === 'checkpointed' ? 2 : 0 })
          const { verdict, findings, checkpoints } = await verify(new ByteReader(sourceOfBytes(bytes)), { streamType: mode === 'checkpointed' ? 'remus' : 'plain', depth: 'data' })
          // What never ends is not accepted by the written rules alone: a checkpointed stream has no END.
          if (mode === 'checkpointed') expect({ xen: verdict.xen, checkpoints }).toEqual({ xen: 'accept', checkpoints: 2 })
          else expect(verdict, JSON.stringify(findings)).toEqual({ strict: 'accept', xen: 'accept', verifier: 'accept' })
        })
      }
    }
  }
})
