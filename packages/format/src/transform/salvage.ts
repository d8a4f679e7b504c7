import { readStruct } from '../bytes/struct.ts'
import { domainHeader, isConverted } from '../libxc/domain-header.ts'
import { XC } from '../libxc/record-types.ts'
import type { Snapshot } from './snapshot.ts'
import { FormatError } from '../format-error.ts'

/** What was left out when an image was made plain. */
export interface Salvage {
  /** Nothing was left out but what does not belong to the guest. */
  readonly whole: boolean
  /** A device model’s state is missing that the guest needs to run on. */
  readonly withoutEmulator: boolean
}

/** Parameters of the pages through which Xen speaks with a device model; those of PVH guests have none. */
const DEVICE_MODEL_PARAMS: readonly bigint[] = [32n, 33n] // IOREQ_SERVER_PFN, NR_IOREQ_SERVER_PAGES

/** Whether the guest has a device model (QEMU): HVM guests do, PV and PVH guests do not. Converted images are of guests older than PVH. */
const hasDeviceModel = ({ params, guest, headers }: Pick<Snapshot, 'params' | 'guest' | 'headers'>): boolean =>
  guest === 'hvm' && (isConverted(readStruct(domainHeader, headers.domain)) || params.some(({ index, value }) => DEVICE_MODEL_PARAMS.includes(index) && value !== 0n))

/**
 * Whether a plain image can be made that would restore.
 *
 * @param options.force go without a device model’s state that got lost.
 * @throws FormatError FMT_NO_STATE when the guest’s processors are missing, FMT_NO_EMULATOR when the device model’s state got lost.
 */
export function salvageOf(snapshot: Snapshot, { force }: { readonly force?: boolean } = {}): Salvage {
  const { guest, extent, vcpus, hvmContext } = snapshot
  const processors = guest === 'pv' ? vcpus.get(0)?.get(XC.X86_PV_VCPU_BASIC) : hvmContext
  if (processors === undefined) {
    throw new FormatError('FMT_NO_STATE', `the image holds no complete state of a guest: the records of its ${guest === 'pv' ? 'first vCPU' : 'processors and devices'} are missing`, {
      offset: extent.until,
      hint: 'Xen would refuse it; its memory can still be had with `xr extract --memory`',
    })
  }
  const withoutEmulator = snapshot.headers.libxl !== undefined && snapshot.emulatorContext === undefined && hasDeviceModel(snapshot)
  if (withoutEmulator && !extent.whole && force !== true) {
    throw new FormatError('FMT_NO_EMULATOR', 'the image ends before the state of the guest’s device model (QEMU)', {
      offset: extent.until,
      hint: 'xl cannot restore the guest without it; `--force` writes the image all the same, for its memory and processors',
    })
  }
  return { whole: extent.whole, withoutEmulator }
}
