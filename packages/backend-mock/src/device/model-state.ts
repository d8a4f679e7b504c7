import { randomBytes } from '../random.ts'

/** First bytes of what QEMU writes, and its version. Source: QEMU migration/savevm.c. */
const MAGIC = [0x51, 0x45, 0x56, 0x4d, 0, 0, 0, 3] as const
/** Says that this state is a simulated one, whose count goes on. */
const OWN = 0x584d444d
const OWN_AT = 8
const COUNT_AT = 16
const HEAD = 24

/** State of a new simulated device model: bytes that depend on the seed. */
export function createModelState(bytes: number, seed: number): Uint8Array {
  const state = new Uint8Array(Math.max(bytes, HEAD))
  state.set(randomBytes(state.length, seed))
  state.set(MAGIC)
  new DataView(state.buffer).setUint32(OWN_AT, OWN)
  return modelStateAt(state, 0)
}

/** The state when the guest has done so many operations. One that comes from elsewhere stays as it is. */
export function modelStateAt(state: Uint8Array, ops: number): Uint8Array {
  if (state.length < HEAD || new DataView(state.buffer, state.byteOffset).getUint32(OWN_AT) !== OWN) return state
  const now = state.slice()
  new DataView(now.buffer).setBigUint64(COUNT_AT, BigInt(ops))
  return now
}

/** What QEMU would say to a state; undefined when it is taken. */
export function modelStateFault(state: Uint8Array): string | undefined {
  return MAGIC.slice(0, 4).every((byte, at) => state[at] === byte) ? undefined : 'the state does not begin with "QEVM"'
}
