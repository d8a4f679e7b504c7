import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { decodeMessage, type Message } from '../src/protocol/message.ts'

/** A conversation between libxl and its own helper, written down between the two on Xen 4.17. */
export interface Recording {
  readonly name: string
  readonly argv: readonly string[]
  /** What libxl answered, in order. */
  readonly answers: readonly number[]
  /** Exit status of the helper. */
  readonly exit: number
  /** What the helper said, a message each, with its length in front. */
  readonly frames: readonly Uint8Array[]
  readonly said: readonly Message[]
}

const folder = new URL('./recordings/', import.meta.url)
const index = JSON.parse(readFileSync(new URL('recordings.json', folder), 'utf8')) as Readonly<Record<string, { argv: string[]; replies: string; exit: number }>>

export const recordings: readonly Recording[] = Object.entries(index).map(([name, { argv, replies, exit }]) => {
  const frames = framesOf(gunzipSync(readFileSync(new URL(`${name}.out.gz`, folder))))
  const answers = Buffer.from(replies, 'hex')
  return {
    name, argv, exit, frames,
    answers: Array.from({ length: answers.length / 4 }, (_, i) => answers.readInt32LE(4 * i)),
    said: frames.map((frame) => decodeMessage(frame.subarray(2))),
  }
})

export function recording(name: string): Recording {
  const found = recordings.find((one) => one.name === name)
  if (found === undefined) throw new Error(`there is no recording ${name}`)
  return found
}

function framesOf(bytes: Buffer): Uint8Array[] {
  const frames: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const next = at + 2 + bytes.readUInt16LE(at)
    frames.push(bytes.subarray(at, next))
    at = next
  }
  return frames
}
