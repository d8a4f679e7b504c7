import { viewOf } from '../bytes/struct.ts'
import { XC } from '../libxc/record-types.ts'
import { checkpointStateName } from '../libxl/checkpoint-state.ts'
import { XL2 } from '../libxl/record-types.ts'
import { xlMessages, type XlMessage } from './handshake.ts'

const HEAD_SIZE = 8
const STATE_SIZE = 16

/** A piece of what one side of a conversation sent. `cut`: the capture ends within it; `surplus`: 8 bytes too many, as 64-bit builds of Xen send. */
export type HandshakePiece = { readonly offset: number; readonly length: number } & (
  | { readonly kind: 'message'; readonly message: XlMessage; readonly cut: boolean }
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'state'; readonly id: number; readonly name: string | undefined }
  | { readonly kind: 'dirty'; readonly pfns: number; readonly surplus: boolean }
  | { readonly kind: 'unknown' }
)

/**
 * Names the bytes that one side of an `xl` conversation sent beside the stream: fixed messages, the status byte, and the records of COLO's
 * back channel. What cannot be told is one piece of kind `unknown` at the end.
 */
export function explainHandshake(bytes: Uint8Array): readonly HandshakePiece[] {
  const pieces: HandshakePiece[] = []
  let at = 0
  while (at < bytes.length) {
    const piece = pieceAt(bytes, at, pieces.at(-1))
    pieces.push(piece)
    at += piece.length
  }
  return pieces
}

function pieceAt(bytes: Uint8Array, offset: number, before: HandshakePiece | undefined): HandshakePiece {
  const rest = bytes.subarray(offset)
  if (before?.kind === 'message' && before.message === 'report') return { kind: 'status', offset, length: 1, status: rest[0] as number }
  return messageAt(rest, offset) ?? recordAt(rest, offset) ?? { kind: 'unknown', offset, length: rest.length }
}

function messageAt(rest: Uint8Array, offset: number): HandshakePiece | undefined {
  for (const [name, message] of Object.entries(xlMessages)) {
    const length = Math.min(message.length, rest.length)
    if (message.subarray(0, length).every((byte, i) => byte === rest[i])) {
      return { kind: 'message', offset, length, message: name as XlMessage, cut: length < message.length }
    }
  }
  return undefined
}

/** A whole record of the back channel, of either type. */
function recordAt(rest: Uint8Array, offset: number): HandshakePiece | undefined {
  if (isState(rest) && rest.length >= STATE_SIZE) {
    const id = viewOf(rest).getUint32(8, true)
    return { kind: 'state', offset, length: STATE_SIZE, id, name: checkpointStateName(id) }
  }
  const head = headOf(rest)
  return head?.type === XC.CHECKPOINT_DIRTY_PFN_LIST ? dirtyAt(rest, offset, head.length) : undefined
}

/** Only a state can follow a list, so that tells whether the sender put its 8 surplus bytes. */
function dirtyAt(rest: Uint8Array, offset: number, body: number): HandshakePiece | undefined {
  const whole = [HEAD_SIZE + body, HEAD_SIZE + 8 + body]
  const length = whole.find((end) => end === rest.length || isState(rest.subarray(end)))
  return length === undefined ? undefined : { kind: 'dirty', offset, length, pfns: Math.floor(body / 8), surplus: length > HEAD_SIZE + body }
}

function isState(rest: Uint8Array): boolean {
  const head = headOf(rest)
  return head?.type === XL2.CHECKPOINT_STATE && head.length === 4
}

function headOf(rest: Uint8Array): { readonly type: number; readonly length: number } | undefined {
  if (rest.length < HEAD_SIZE) return undefined
  const view = viewOf(rest)
  return { type: view.getUint32(0, true), length: view.getUint32(4, true) }
}
