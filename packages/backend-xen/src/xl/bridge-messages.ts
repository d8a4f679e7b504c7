import { BackendError, type RingPorts } from '@xen-replication/hypervisor'

/** Messages to libxl by number. Source: tools/libs/light/libxl_save_msgs_gen.pl. */
const MESSAGE = { staticDataDone: 8, restoreResults: 9, complete: 10 } as const

/** What of the guest's CPU policy a stream had not: XGR_SDD_MISSING_*. */
export const MISSING = { msr: 1, cpuid: 2 } as const

/** What libxl tells a restorer when it starts it. */
export interface BridgeArgs {
  readonly domId: number
  readonly rings: RingPorts
}

/** Reads the words after `--restore-domain`. @throws BackendError BACKEND_HOST */
export function parseBridgeArgs(line: string): BridgeArgs {
  const [mode, ...rest] = line.trim().split(' ')
  const numbers = rest.map(Number)
  const [, , domId, storePort, storeDomId, consolePort, consoleDomId] = numbers
  if (mode !== '--restore-domain' || rest.length < 9 || numbers.some((number) => !Number.isSafeInteger(number))) {
    throw new BackendError('BACKEND_HOST', `libxl asks its restorer for something unknown: ${line.trim()}`, { hint: 'this Xen is newer than what xr knows' })
  }
  return { domId: domId as number, rings: { store: { port: storePort as number, domId: storeDomId as number }, console: { port: consolePort as number, domId: consoleDomId as number } } }
}

const message = (number: number, size: number, fill: (view: DataView) => void): Uint8Array => {
  const bytes = new Uint8Array(4 + size)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, 2 + size, true)
  view.setUint16(2, number, true)
  fill(view)
  return bytes
}

export const staticDataDone = (missing: number): Uint8Array => message(MESSAGE.staticDataDone, 4, (view) => view.setUint32(4, missing, true))

export const restoreResults = ({ store, console }: { readonly store: number; readonly console: number }): Uint8Array =>
  message(MESSAGE.restoreResults, 16, (view) => {
    view.setBigUint64(4, BigInt(store), true)
    view.setBigUint64(12, BigInt(console), true)
  })

export const completeMessage = (result: number, errno: number): Uint8Array =>
  message(MESSAGE.complete, 8, (view) => {
    view.setInt32(4, result, true)
    view.setInt32(8, errno, true)
  })
