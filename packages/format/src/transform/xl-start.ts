import { readStruct, writeStruct } from '../bytes/struct.ts'
import { XL, newXlHeader, xlHeader } from '../xl/save-header.ts'
import { xlBlock } from '../xl/optional-block.ts'

/** A configuration for an `xl` file. */
export interface XlConfig {
  /** libxl's JSON, or the text of an xl.cfg. */
  readonly kind: 'json' | 'text'
  readonly bytes: Uint8Array
}

export interface XlStart {
  /** Header of the file that was read; undefined when it was none. */
  readonly header: Uint8Array | undefined
  /** Its optional block, empty when there was none. */
  readonly block: Uint8Array
  /** In place of the configuration in the block. */
  readonly config: XlConfig | undefined
  readonly onNoConfig: () => void
}

/** Header and optional block of an `xl` file in front of a libxl stream. What was in the input is kept byte for byte, but for the flag that a libxl stream follows. */
export function* xlStart({ header, block, config, onNoConfig }: XlStart): Generator<Uint8Array, void, void> {
  if (config !== undefined || header === undefined) {
    const own = xlBlock.encode({ config: configBytes(config), rest: new Uint8Array(0) })
    if (config === undefined) onNoConfig()
    const flags = XL.streamV2 | (config?.kind === 'json' ? XL.jsonConfig : 0)
    yield writeStruct(xlHeader, { ...newXlHeader(own.length), mandatoryFlags: flags })
    yield own
    return
  }
  if (block.length <= 4) onNoConfig()
  const kept = readStruct(xlHeader, header)
  yield writeStruct(xlHeader, { ...kept, mandatoryFlags: (kept.mandatoryFlags | XL.streamV2) >>> 0 })
  yield block
}

/** JSON has a NUL at its end in the file, an xl.cfg has none. */
function configBytes(config: XlConfig | undefined): Uint8Array {
  if (config === undefined) return new Uint8Array(0)
  const { kind, bytes } = config
  const end = bytes.at(-1) === 0 ? bytes.length - 1 : bytes.length
  const out = new Uint8Array(kind === 'json' ? end + 1 : end)
  out.set(bytes.subarray(0, end))
  return out
}
