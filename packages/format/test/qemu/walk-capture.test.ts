import { describe, expect, it } from 'vitest'
import { ByteReader } from '../../src/bytes/byte-reader.ts'
import { sourceOfBytes } from '../../src/bytes/byte-source.ts'
import { createCaptureSummary, type CaptureSummary } from '../../src/qemu/capture-summary.ts'
import { encodeColoMessage, type ColoMessageName } from '../../src/qemu/colo-message.ts'
import { isQemuStream, walkCapture, type CaptureItem } from '../../src/qemu/walk-capture.ts'
import { command, configuration, description, device, end, header, page, ramMore, ramStart, zeroPage } from './stream-builder.ts'

const say = (name: ColoMessageName, size?: number): readonly number[] => [...encodeColoMessage(name, size)]
const first = [header(), configuration(), command(8), ramStart(), ramMore(3, page(0, 7, 'pc.ram'), zeroPage(0x1000)), device(0, 'timer', [1, 2, 3]), end, description()]
const blob = [...device(0, 'timer', [4]), 0]
const checkpoint = [say('checkpoint-request'), say('vmstate-send'), ramMore(3, page(0, 9), zeroPage(0x2000)), end, say('vmstate-size', blob.length), blob]

async function walk(...parts: readonly (readonly number[])[]): Promise<{ readonly items: readonly CaptureItem[]; readonly summary: CaptureSummary; readonly error: unknown }> {
  const items: CaptureItem[] = []
  const summary = createCaptureSummary()
  let error: unknown
  try {
    for await (const item of walkCapture(new ByteReader(sourceOfBytes(Uint8Array.from(parts.flat()))), { blocks: (blocks) => summary.blocks(blocks), page: () => undefined })) {
      items.push(item)
      summary.item(item)
    }
  } catch (thrown) {
    error = thrown
  }
  return { items, summary: summary.finish(), error }
}

describe('what a COLO primary said', () => {
  it('is walked to its end, checkpoint by checkpoint', async () => {
    const { items, summary, error } = await walk(...first, ...checkpoint, ...checkpoint)
    expect(error).toBe(undefined)
    expect(items.filter(({ checkpoint: number }) => number === 2).map(({ kind }) => kind)).toEqual(['message', 'message', 'section', 'end', 'message', 'devices'])
    expect(summary).toMatchObject({ side: 'primary', machine: 'pc', pages: 1, zeroPages: 1, devices: ['timer'], colo: true, complete: true, checkpoints: { complete: 2, partial: false, pages: 4, devicesBytes: 2 * blob.length } })
    expect(summary.blocks.map(({ name }) => name)).toEqual(['pc.ram', 'rom'])
  })

  it('that was cut has what came before', async () => {
    const { summary, error } = await walk(...first, ...checkpoint, ...checkpoint.slice(0, 2))
    expect(error).toMatchObject({ code: 'FMT_TRUNCATED' })
    expect(summary).toMatchObject({ complete: true, checkpoints: { complete: 1, partial: true, pages: 2 } })
    expect((await walk(...first.slice(0, 4))).summary).toMatchObject({ complete: false, colo: true, pages: 0, devices: [] })
  })

  it('without COLO ends with its stream', async () => {
    const { summary, error } = await walk(...first.filter((_, i) => i !== 2))
    expect([error, summary]).toMatchObject([undefined, { colo: false, complete: true, checkpoints: { complete: 0, partial: false } }])
  })
})

describe('what a COLO secondary answered', () => {
  const answers = (['checkpoint-ready', 'checkpoint-reply', 'vmstate-received', 'vmstate-loaded', 'checkpoint-reply'] as const).map((name) => say(name))

  it('is walked, a reply begins a checkpoint', async () => {
    const { items, summary } = await walk(...answers)
    expect(items.map(({ checkpoint: number }) => number)).toEqual([0, 1, 1, 1, 2])
    expect(summary).toMatchObject({ side: 'secondary', colo: true, complete: true, machine: undefined, checkpoints: { complete: 1, partial: true } })
  })

  it('is known by its first words', () => {
    const bytes = Uint8Array.from(answers.flat())
    expect([4, 8, 20].map((length) => isQemuStream(bytes.subarray(0, length)))).toEqual([true, true, true])
    expect([[], [0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0, 0, 2], [9, 9, 9, 9, 9, 9, 9, 9]].map((some) => isQemuStream(Uint8Array.from(some)))).toEqual(new Array(7).fill(false))
    expect(isQemuStream(Uint8Array.from(header()))).toBe(true)
  })
})
