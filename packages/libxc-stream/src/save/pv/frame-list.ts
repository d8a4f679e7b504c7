import type { GuestMemory, MachineMap, MappedFrames } from '@xen-replication/hypervisor'
import { hex, SaveError } from '../save-error.ts'

/** The error for a p2m that makes no sense. @param what with the numbers that are wrong. */
export const badP2m = (what: string): SaveError =>
  new SaveError('SAVE_P2M', what, { hint: 'the guest’s kernel is damaged or not the kind it says it is; it cannot be saved, only rebooted' })

/** Maps frames for as long as `use` works on them. */
export async function withFrames<T>(memory: GuestMemory, frames: Float64Array, use: (mapped: MappedFrames) => T): Promise<T> {
  const mapped = await memory.map(frames)
  try {
    return use(mapped)
  } finally {
    mapped.close()
  }
}

/** @throws SaveError SAVE_P2M unless `frame` is one of the host's and not 0. */
export function requireFrame(frame: number, { maxMfn }: MachineMap, where: string): number {
  if (frame > 0 && frame <= maxMfn) return frame
  throw badP2m(`${where} is ${frame < 0 ? 'none' : hex(frame)}; frames of this host reach from 0x1 to ${hex(maxMfn)}`)
}

/**
 * Where the run of equal numbers at the end of a list begins. A guest whose table is shorter than it says points all that is
 * missing to one and the same empty page.
 */
export function lastRun(frames: Float64Array): number {
  let start = frames.length - 1
  while (start > 0 && frames[start - 1] === frames[start]) start--
  return start
}
