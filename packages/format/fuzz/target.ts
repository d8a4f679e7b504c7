import { isXrError } from '@xen-replication/errors'
import { ByteReader } from '../src/bytes/byte-reader.ts'
import { sourceOfBytes } from '../src/bytes/byte-source.ts'
import { toHex } from '../src/bytes/field.ts'
import { headerCodec, libxcCodec, libxlCodec } from '../src/frame/catalogue.ts'
import { bodyFromDescription, describeBody, sameBytes } from '../src/frame/describe.ts'
import { recordDetail } from '../src/image/record-detail.ts'
import { createSummary } from '../src/image/summary.ts'
import { walk } from '../src/image/walk.ts'
import { imageFromJson } from '../src/json/build-image.ts'
import { describeImage } from '../src/json/describe-image.ts'
import type { VerifyOptions } from '../src/rules/finding.ts'
import { verify } from '../src/rules/verify.ts'
import { convertImage } from '../src/transform/convert.ts'
import { imageOfBytes } from '../src/transform/image-bytes.ts'
import { plainImage } from '../src/transform/repair.ts'
import { salvageOf } from '../src/transform/salvage.ts'
import { readSnapshot } from '../src/transform/snapshot.ts'
import type { Random } from './random.ts'

/** What reads an input; it fails by throwing. */
type Target = (bytes: Uint8Array, random: Random) => Promise<void>

const readerOf = (bytes: Uint8Array): ByteReader => new ByteReader(sourceOfBytes(bytes))
const digest = (page: Uint8Array): number => ((page[0] as number) << 8) | (page[4095] as number)

const told: readonly VerifyOptions[] = [
  {}, {}, {}, { streamType: 'plain' }, { streamType: 'remus' }, { streamType: 'colo' }, { domain: 'pv' }, { domain: 'hvm' }, { format: 'libxc' }, { format: 'libxl' },
  { format: 'xl' }, { format: 'legacy' }, { depth: 'headers' }, { depth: 'data', digest }, { depth: 'data' },
]

async function judged(bytes: Uint8Array, random: Random): Promise<void> {
  const { findings, bytes: read } = await verify(readerOf(bytes), random.pick(told))
  if (read > bytes.length) throw new Error(`${read} of ${bytes.length} bytes read`)
  for (const { offset } of findings) if (offset > bytes.length) throw new Error(`a finding at byte ${offset} of ${bytes.length}`)
}

async function summedUp(bytes: Uint8Array): Promise<void> {
  const summary = createSummary()
  for await (const item of walk(readerOf(bytes))) {
    if (item.kind === 'record') await recordDetail(item)
    await summary.item(item)
  }
  summary.finish()
}

async function described(bytes: Uint8Array): Promise<void> {
  for await (const item of walk(readerOf(bytes))) {
    if (item.kind === 'record') same((item.layer === 'libxc' ? libxcCodec : libxlCodec)(item.type), await item.body.all())
    else if (item.kind.endsWith('header')) same(headerCodec(item.kind as 'xl-header'), (item as { readonly bytes: Uint8Array }).bytes)
  }
}

function same(codec: Parameters<typeof describeBody>[0], body: Uint8Array): void {
  if (!sameBytes(bodyFromDescription(codec, describeBody(codec, body)), body)) throw new Error(`${toHex(body)} is described as something else`)
}

async function throughJson(bytes: Uint8Array): Promise<void> {
  const text: string[] = []
  for await (const piece of describeImage(readerOf(bytes))) text.push(Buffer.from(piece).toString('latin1'))
  let at = 0
  for await (const piece of imageFromJson(text)) {
    if (!sameBytes(piece, bytes.subarray(at, at + piece.length))) throw new Error(`the document gives other bytes behind byte ${at}`)
    at += piece.length
  }
  if (at !== bytes.length) throw new Error(`the document gives ${at} bytes`)
}

async function repaired(bytes: Uint8Array): Promise<void> {
  const image = imageOfBytes(bytes)
  const snapshot = await readSnapshot(image)
  salvageOf(snapshot)
  for (const piece of plainImage(image, snapshot)) void piece
}

async function converted(bytes: Uint8Array, random: Random): Promise<void> {
  for await (const piece of convertImage(readerOf(bytes), { to: random.pick(['libxc-v3', 'libxl-v2', 'xl']) })) void piece
}

/** For what may refuse an input, with a code. */
const orRefused =
  (target: Target): Target =>
  (bytes, random) =>
    target(bytes, random).catch((error: unknown) => {
      if (!isXrError(error)) throw error
    })

const each = (times: number, target: Target): readonly Target[] => Array<Target>(times).fill(target)

/** By how often they run: judging meets hostile input first, and describing takes ten times as long. */
const targets: readonly Target[] = [...each(40, judged), ...each(4, summedUp), ...each(3, orRefused(repaired)), ...each(3, orRefused(converted)), described, throughJson]

/** Runs one part of the package on an input. */
export const runTarget = (bytes: Uint8Array, random: Random): Promise<void> => random.pick(targets)(bytes, random)
