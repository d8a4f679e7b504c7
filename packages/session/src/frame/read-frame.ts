import { printable, viewOf } from '@xen-replication/format'
import { LinkError } from '@xen-replication/plugin-api'
import { SessionError } from '../session-error.ts'
import { batchFront } from './batch.ts'
import { FRAME_FLAG, frameChecksum, frameHead, PASS_MAX, type FrameHead } from './frame-head.ts'
import { frameName, frameTypes, type Frame, type FrameName } from './table.ts'

/** Where frames come from: the reading side of a channel. */
export interface FrameSource {
  read(max: number): Promise<Uint8Array | undefined> | Uint8Array | undefined
}

/** `payload`: longest payload of a batch, as agreed on. `greeting`: nothing but greetings may come. */
export type FrameLimits = { readonly payload: number; /** For bodies of batches. */ readonly memory?: (bytes: number) => Uint8Array } | 'greeting'

/**
 * Takes the next frame that is known; others are passed over when they say that they may be.
 *
 * @returns undefined when the peer ended its side between two frames.
 * @throws SessionError SESSION_NOT_XR, SESSION_TOO_LARGE before memory is taken, SESSION_UNKNOWN_FRAME, SESSION_DAMAGED, SESSION_MALFORMED;
 *   LinkError LINK_LOST when the bytes end within a frame; whatever the source throws
 */
export async function readFrame(source: FrameSource, limits: FrameLimits): Promise<Frame | undefined> {
  for (;;) {
    const bytes = await exactly(source, frameHead.size)
    if (bytes === undefined) return undefined
    const name = frameName(viewOf(bytes).getUint16(0, true))
    if (limits === 'greeting' && (name === undefined || !beforeGreeting.has(name))) throw notXr(bytes)
    const head = frameHead.get(viewOf(bytes), 0)
    if (name !== undefined) return decoded(name, head, bytes, await bodyOf(source, name, head, limits))
    await passOver(source, head)
  }
}

const beforeGreeting: ReadonlySet<FrameName> = new Set(['hello', 'welcome', 'resume', 'abort'])

async function bodyOf(source: FrameSource, name: FrameName, head: FrameHead, limits: FrameLimits): Promise<Uint8Array> {
  const most = frameTypes[name].most + (name === 'data' && limits !== 'greeting' ? limits.payload : 0)
  if (head.length > most) throw new SessionError('SESSION_TOO_LARGE', `a ${name} frame of ${head.length} bytes; at most ${most} are allowed`)
  const memory = name === 'data' && limits !== 'greeting' ? limits.memory : undefined
  return (await exactly(source, head.length, memory)) ?? torn()
}

function decoded(name: FrameName, head: FrameHead, bytes: Uint8Array, body: Uint8Array): Frame {
  const covered = name === 'data' ? body.subarray(0, batchFront.size) : body
  if (frameChecksum(bytes, covered) !== head.crc) throw new SessionError('SESSION_DAMAGED', `the checksum of a ${name} frame does not fit`)
  if (head.flags !== 0 || (head.number > 0) !== (frameTypes[name].kind === 'ordered')) {
    throw new SessionError('SESSION_MALFORMED', `a ${name} frame with flags ${head.flags} and number ${head.number}`)
  }
  try {
    return { name, number: head.number, body: frameTypes[name].body.decode(body) } as Frame
  } catch (cause) {
    if (cause instanceof SessionError) throw cause
    throw new SessionError('SESSION_MALFORMED', `a ${name} frame: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

async function passOver(source: FrameSource, head: FrameHead): Promise<void> {
  if ((head.flags & FRAME_FLAG.mayPass) === 0) throw new SessionError('SESSION_UNKNOWN_FRAME', `a frame of type ${head.type} came`)
  if (head.length > PASS_MAX) throw new SessionError('SESSION_TOO_LARGE', `a frame of unknown type ${head.type} and ${head.length} bytes; at most ${PASS_MAX} are passed over`)
  for (let left = head.length; left > 0; ) left -= ((await source.read(left)) ?? torn()).length
}

/** @returns bytes of their own, or undefined when there was not even one. */
async function exactly(source: FrameSource, size: number, memory = (bytes: number): Uint8Array => new Uint8Array(bytes)): Promise<Uint8Array | undefined> {
  const out = memory(size)
  let got = 0
  while (got < size) {
    const piece = await source.read(size - got)
    if (piece === undefined && got === 0) return undefined
    out.set(piece ?? torn(), got)
    got += (piece as Uint8Array).length
  }
  return out
}

function torn(): never {
  throw new LinkError('LINK_LOST', 'the connection ended within a frame', { hint: 'the other xr ended early; look at its output' })
}

function notXr(bytes: Uint8Array): SessionError {
  const start = printable(bytes)
  const xl = start.startsWith('xl migration')
  return new SessionError('SESSION_NOT_XR', xl ? 'the peer is `xl migrate-receive`' : `the peer begins with "${start}"`, xl ? { hint: 'use --peer xl' } : {})
}
