import { raw, reserved, struct, structCodec, u16, u32, u64, u8, type Codec } from '@xen-replication/format'
import { batch, batchFront } from './batch.ts'
import { count } from './count.ts'
import { GREETING_MAX, hello, NONCE_BYTES, welcome } from './hello.ts'
import { packets, PACKETS_MAX } from './packets.ts'
import { piece, PIECE_MAX } from './piece.ts'
import { reason, REASON_MAX } from './reason.ts'
import { word, WORD_MAX } from './word.ts'

/** A kind of frame. */
export interface FrameType<T> {
  readonly type: number
  readonly body: Codec<T>
  /** Longest body, in bytes; of `data` without the payload, whose limit the two sides agree on. */
  readonly most: number
  readonly from: 'sender' | 'receiver' | 'both'
  /**
   * `greeting`: only while a link is set up. `ordered`: has a number, comes once and in order, also across links. `now`: tells how things are; a later
   * one takes its place.
   */
  readonly kind: 'greeting' | 'ordered' | 'now'
  readonly summary: string
}

const fixed = structCodec
const nothing = fixed('frame', struct(0, {}))

const resume = struct(40, { next: count, token: raw(NONCE_BYTES) })
const end = struct(40, { bytes: count, digest: raw(32) })
const ack = struct(16, { frame: count, taken: count })
const progress = struct(24, { bytes: count, pages: count, state: count })
const heartbeat = struct(16, { now: count, echo: count })
const epoch = struct(8, { epoch: count })
/** `token`: the fencing token under which it is stored, that of `protect`. */
const stored = struct(16, { epoch: count, token: u64 })
/**
 * `guest`: UUID of the first. `token`: the greatest fencing token that was granted for it, under which both sides work from now on. `arbiter`: 0 nobody decides, 1 an arbiter does, 2 each side
 * for itself. `members`: how many guests. `copies`: pages of which both sides keep the latest copy, to send what differs; 0: none.
 */
const protect = struct(40, { guest: raw(16), token: u64, heartbeatMs: u32, silenceMs: u32, members: u16, arbiter: u8, _: reserved(1), copies: u32 })
const member = struct(4, { member: u16, _: reserved(2) })

/** Every frame there is: the only list. Types are never used again for something else. */
export const frameTypes = {
  hello: row(1, 'sender', 'greeting', hello, GREETING_MAX, 'Who wants what, and can what.'),
  welcome: row(2, 'receiver', 'greeting', welcome, GREETING_MAX, 'What is agreed on; when going on, from where, and the proof that it is the peer.'),
  resume: row(3, 'sender', 'greeting', fixed('resume', resume), resume.size, 'The proof of the sender, and the frame that it wants next.'),
  data: row(16, 'sender', 'ordered', batch, batchFront.size, 'A batch of the stream.'),
  end: row(17, 'sender', 'ordered', fixed('end', end), end.size, 'The stream is over: its length and digest.'),
  ack: row(32, 'both', 'now', fixed('ack', ack), ack.size, 'Ordered frames up to this one have been verified; so many bytes of the stream have been taken up.'),
  progress: row(33, 'receiver', 'now', fixed('progress', progress), progress.size, 'How far the receiver is.'),
  heartbeat: row(34, 'both', 'now', fixed('heartbeat', heartbeat), heartbeat.size, 'I live. Milliseconds of my clock, and yours as I heard them last.'),
  received: row(48, 'receiver', 'ordered', nothing, 0, 'The guest is built here and stands still.'),
  yours: row(49, 'sender', 'ordered', nothing, 0, 'The guest is yours: from now on I do not let mine run.'),
  running: row(50, 'receiver', 'ordered', nothing, 0, 'The guest runs here.'),
  'given-back': row(51, 'receiver', 'ordered', reason, REASON_MAX, 'My copy is destroyed and will never run; why.'),
  abort: row(64, 'both', 'ordered', reason, REASON_MAX, 'I give up; why.'),
  bye: row(65, 'both', 'ordered', nothing, 0, 'All is said; the link may go.'),
  'epoch-end': row(80, 'sender', 'ordered', fixed('epoch-end', epoch), epoch.size, 'An epoch of the stream is complete.'),
  'epoch-stored': row(81, 'receiver', 'ordered', fixed('epoch-stored', stored), stored.size, 'That epoch is safe here: its output may be released.'),
  say: row(82, 'both', 'ordered', word, WORD_MAX, 'A message of a replication strategy.'),
  protect: row(83, 'sender', 'ordered', fixed('protect', protect), protect.size, 'What is to be protected, and how it is agreed on who lives.'),
  member: row(84, 'sender', 'ordered', fixed('member', member), member.size, 'From here on the stream is that of this guest of a group.'),
  back: row(96, 'receiver', 'ordered', piece, PIECE_MAX, 'Bytes of COLO’s back channel: lists of dirty pfns as they are specified.'),
  packets: row(97, 'receiver', 'ordered', packets, PACKETS_MAX, 'What my guest has sent, to be compared; it goes nowhere else.'),
} as const

export type FrameName = keyof typeof frameTypes
export type BodyOf<N extends FrameName> = (typeof frameTypes)[N] extends FrameType<infer T> ? T : never

/** Names of frames that come once and in order. */
export type OrderedName = { [N in FrameName]: (typeof frameTypes)[N]['kind'] extends infer K ? ('ordered' extends K ? N : never) : never }[FrameName]

/** A frame as it came. `number` counts ordered frames of one side from 1; it is 0 for others. */
export type Frame<N extends FrameName = FrameName> = { readonly [K in N]: { readonly name: K; readonly number: number; readonly body: BodyOf<K> } }[N]

/** The name that a type number stands for. */
export const frameName = (type: number): FrameName | undefined => byType.get(type)

const byType = new Map(Object.entries(frameTypes).map(([name, { type }]) => [type, name as FrameName]))

function row<T>(type: number, from: FrameType<T>['from'], kind: FrameType<T>['kind'], body: Codec<T>, most: number, summary: string): FrameType<T> {
  return { type, from, kind, body, most, summary }
}
