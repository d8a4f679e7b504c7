import type { DomId, GuestForRestore, GuestForSave, HypervisorBackend, RestoreRequest } from '@xen-replication/hypervisor'
import assert from 'node:assert/strict'
import { check, type Bench, type Case } from '../case.ts'

/** A host on which one guest of the kind in question runs. */
export interface BackendBench extends Bench {
  readonly backend: HypervisorBackend
  readonly domId: DomId
  /** pfns of at least three ordinary pages that the guest never writes, all different in content. */
  readonly quiet: readonly number[]
  /** Lets the guest run for a moment, where it runs at all. @returns pfns of ordinary pages whose content it has changed if it ran */
  readonly work: () => Promise<readonly number[]>
  /** The frame that mapping asks for: mfn of a PV guest's page, gfn of another's. */
  readonly frameOf: (pfn: number) => Promise<number>
  /** For a guest of the same kind beside this one, large enough for its memory. */
  readonly request: (name: string) => RestoreRequest
  /** Ways in which the guest can go on in the domain where it was suspended; both when left out. Kernels with Xen drivers survive `resumed` in a new domain only. */
  readonly goesOn?: readonly ('cancelled' | 'resumed')[]
  /** State of CPUs without what changes with time alone, where there is such: two readings of a guest that stands are the same then. */
  readonly timeless?: (state: Uint8Array) => Uint8Array
  /** What callers have taken from the host and not given back, in words: mappings, log-dirty mode, handles. Empty when nothing. */
  readonly held: () => Promise<readonly string[]>
}

export const PAGE = 4096
export const XTAB = 15

/** A case with the guest open to be saved. */
export function saving(name: string, body: (guest: GuestForSave, bench: BackendBench) => Promise<void>): Case<BackendBench> {
  return check(name, async (bench) => {
    const guest = await bench.backend.openForSave(bench.domId)
    try {
      await body(guest, bench)
    } finally {
      await guest.close()
    }
  })
}

/** A case with a second guest open to be restored. */
export function restoring(name: string, body: (guest: GuestForRestore, bench: BackendBench) => Promise<void>): Case<BackendBench> {
  return check(name, async (bench) => {
    const guest = await bench.backend.openForRestore(bench.request('incoming'))
    try {
      await body(guest, bench)
    } finally {
      await guest.close()
    }
  })
}

/** Whether a pfn is among those written. */
export function has(bitmap: Uint8Array, pfn: number): boolean {
  return (((bitmap[pfn >> 3] ?? 0) >> (pfn & 7)) & 1) === 1
}

/** Copies of pages as a saver sees them. */
export async function contents(guest: Pick<GuestForSave, 'memory'> | Pick<GuestForRestore, 'memory'>, frames: readonly number[]): Promise<Uint8Array[]> {
  const mapped = await guest.memory.map(frames)
  try {
    return frames.map((_, i) => mapped.page(i).slice())
  } finally {
    mapped.close()
  }
}

/** One above the highest pfn that a log has to tell of. */
export async function topOf(guest: GuestForSave, pfns: readonly number[]): Promise<number> {
  return guest.pv === undefined ? guest.memory.frames() : Math.max(...pfns) + 1
}

export function differs(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  assert.ok(a !== undefined && b !== undefined)
  return a.some((byte, i) => byte !== b[i])
}
