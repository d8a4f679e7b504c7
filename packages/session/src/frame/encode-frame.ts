import { viewOf } from '@xen-replication/format'
import { encodeFront, type Batch } from './batch.ts'
import { frameChecksum, frameHead, HEAD_COVERED } from './frame-head.ts'
import { frameTypes, type BodyOf, type FrameName } from './table.ts'

/** A frame as pieces to be written; the payload of a batch is not copied. @param number of an ordered frame, else 0. */
export function encodeFrame<N extends FrameName>(name: N, body: BodyOf<N>, number: number): readonly Uint8Array[] {
  if (name === 'data') {
    const { payload } = body as Batch
    return framed(name, number, encodeFront(body as Batch), payload)
  }
  return framed(name, number, (frameTypes[name].body.encode as (value: BodyOf<N>) => Uint8Array)(body))
}

function framed(name: FrameName, number: number, covered: Uint8Array, ...rest: readonly Uint8Array[]): readonly Uint8Array[] {
  const head = new Uint8Array(frameHead.size)
  const view = viewOf(head)
  const length = rest.reduce((sum, part) => sum + part.length, covered.length)
  frameHead.set(view, 0, { type: frameTypes[name].type, flags: 0, length, number, crc: 0 })
  view.setUint32(HEAD_COVERED, frameChecksum(head, covered), true)
  return [head, covered, ...rest]
}
