import { viewOf } from '../bytes/struct.ts'
import { textOfBytes } from '../frame/latin1.ts'

/** The device model's state within the image. */
export interface EmulatorSummary {
  /** 0 unknown, 1 the old qemu-traditional, 2 QEMU. */
  readonly id: number
  readonly name: string
  readonly index: number
  /** Of its state, without the record's own 8. */
  readonly bytes: number
  /** Version of QEMU's stream, undefined when it does not begin as one. */
  readonly streamVersion: number | undefined
  /** The machine type, where the stream has its configuration in front; what Xen asks QEMU for has none. */
  readonly machine: string | undefined
}

const FRONT = 8
/** Enough for the front part, QEMU's head and a machine's name. */
export const EMULATOR_PEEK = 256

const names = ['unknown', 'qemu-traditional', 'qemu'] as const
/** "QEVM". */
const QEMU_MAGIC = 0x5145564d
const CONFIGURATION = 7

/**
 * @param first the first bytes of EMULATOR_CONTEXT's body, EMULATOR_PEEK of them when it has so many.
 * @param length of the whole body.
 * @returns undefined when the body is shorter than its front part.
 */
export function summariseEmulator(first: Uint8Array, length: number): EmulatorSummary | undefined {
  if (first.length < FRONT) return undefined
  const view = viewOf(first)
  const id = view.getUint32(0, true)
  const isQemu = first.length >= FRONT + 8 && view.getUint32(FRONT) === QEMU_MAGIC
  return {
    id,
    name: names[id] ?? `emulator ${id}`,
    index: view.getUint32(4, true),
    bytes: length - FRONT,
    streamVersion: isQemu ? view.getUint32(FRONT + 4) : undefined,
    machine: isQemu ? machineIn(first.subarray(FRONT + 8)) : undefined,
  }
}

/** Source: QEMU migration/savevm.c, QEMU_VM_CONFIGURATION: the byte 7, a length, the name. */
function machineIn(bytes: Uint8Array): string | undefined {
  if (bytes.length < 5 || bytes[0] !== CONFIGURATION) return undefined
  const name = textOfBytes(bytes.subarray(5, 5 + viewOf(bytes).getUint32(1)))
  return /^[\w.+-]+$/.test(name) ? name : undefined
}
