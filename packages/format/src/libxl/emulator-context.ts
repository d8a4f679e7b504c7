import { opaque } from '../frame/codec.ts'
import { frontAndRest } from '../frame/front-and-rest.ts'
import { recordCodec } from '../frame/record.ts'
import { emulatorHeader } from './emulator.ts'
import { XL2 } from './record-types.ts'

/** What the device model wrote of itself, for the device model to read; QEMU's begins with `QEVM`. */
export interface EmulatorContext {
  readonly emulator: number
  readonly index: number
  readonly state: Uint8Array
}

export const emulatorContext = recordCodec<EmulatorContext>(
  XL2.EMULATOR_CONTEXT,
  'EMULATOR_CONTEXT',
  'libxl-migration-stream, "EMULATOR_CONTEXT"',
  frontAndRest({ what: 'EMULATOR_CONTEXT', front: emulatorHeader, key: 'state', rest: opaque }),
)
