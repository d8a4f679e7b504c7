import { openImageSaver, StagedSink, type SaveOptions } from '@xen-replication/libxc-stream'
import { sinkOfBytes, type ByteSink } from '@xen-replication/format'
import { describe, expect, it } from 'vitest'
import { goldHvm, goldPv, type Gold } from './gold.ts'
import type { Script, ScriptedGuest } from './scripted-guest.ts'

interface Saved {
  readonly bytes: Uint8Array
  readonly guest: ScriptedGuest
}

/** Saves as Xen's tools would, resuming and answering at each checkpoint. */
async function save(gold: Gold, options: SaveOptions, { checkpoints = 0, change = {}, staged = 0 }: { checkpoints?: number; change?: Partial<Script>; staged?: number } = {}): Promise<Saved> {
  const memory = sinkOfBytes()
  const guest = gold.guest(change)
  let offset = 0
  const sink: ByteSink = {
    write: async (parts) => {
      await memory.write(parts)
      offset += parts.reduce((sum, part) => sum + part.length, 0)
    },
  }
  guest.offset = () => offset
  const saver = await openImageSaver(guest.forSave(), options)
  await saver.begin(sink)
  const area = staged === 0 ? undefined : new StagedSink(sink, { bytes: staged })
  if (checkpoints === 0) await saver.finish(area ?? sink)
  for (let i = 0; i < checkpoints; i++) {
    await saver.checkpoint(area ?? sink)
    if (area === undefined) guest.trace.push([offset, 'postcopy'], [offset, 'checkpoint'])
    guest.resume()
    await area?.release()
  }
  await area?.release()
  await saver.close()
  guest.trace.push([offset, 'return 0'])
  return { bytes: memory.bytes(), guest }
}

const same = (a: Uint8Array, b: Uint8Array): void => expect(Buffer.compare(a, b), `${a.length} bytes against ${b.length}`).toBe(0)

describe('an image of the same guest as Xen’s own saver saw', () => {
  const cases: readonly [string, Gold, SaveOptions, number][] = [
    ['a stopped HVM guest', goldHvm('gold_xc_hvm_nonlive'), { mode: 'stopped' }, 0],
    ['a running HVM guest', goldHvm('gold_xc_hvm_live'), { mode: 'live' }, 0],
    ['an HVM guest, three checkpoints', goldHvm('gold_xc_hvm_remus'), { mode: 'checkpointed' }, 3],
    ['a 64-bit PV guest', goldPv('gold_xc_pv64_nonlive', 8), { mode: 'stopped' }, 0],
    ['a 32-bit PV guest', goldPv('gold_xc_pv32_nonlive', 4), { mode: 'stopped' }, 0],
  ]
  for (const [what, gold, options, checkpoints] of cases) {
    it(`is the same to the byte: ${what}`, async () => {
      const { bytes, guest } = await save(gold, options, { checkpoints })
      same(bytes, gold.stream)
      expect(guest.trace).toEqual(gold.trace)
      expect(guest).toMatchObject({ openMappings: 0, logDirty: 'off', emulatorLogDirty: 'off' })
    })
    it(`is the same however memory is mapped: ${what}`, async () => {
      const { bytes } = await save(gold, options, { checkpoints, change: { mapping: 'scattered' } })
      same(bytes, gold.stream)
    })
  }
  for (const staged of [1, 60_000, 1 << 20]) {
    it(`is the same when checkpoints wait in an area of ${staged} bytes`, async () => {
      const gold = goldHvm('gold_xc_hvm_remus')
      const { bytes } = await save(gold, { mode: 'checkpointed' }, { checkpoints: 3, staged })
      same(bytes, gold.stream)
    })
  }
})
