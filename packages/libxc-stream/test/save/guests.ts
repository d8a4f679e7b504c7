import { ScriptedGuest, type Script } from './scripted-guest.ts'

/** A page full of one byte. */
export const page = (byte: number): Uint8Array => new Uint8Array(4096).fill(byte)

/** A small PVH guest: pages 0 to 7, page 5 a hole. */
export function smallGuest(change: Partial<Script> = {}): ScriptedGuest {
  return new ScriptedGuest({
    kind: 'pvh',
    xen: { major: 4, minor: 17 },
    pages: new Map([0, 1, 2, 3, 4, 6, 7].map((pfn) => [pfn, page(pfn + 1)])),
    frames: 8,
    tsc: { mode: 1, khz: 2_400_000, nsec: 7n, incarnation: 3 },
    policy: { cpuid: new Uint8Array(24).fill(1), msr: new Uint8Array(16).fill(2) },
    hvmContext: new Uint8Array(16).fill(3),
    hvmParams: new Map([[1, 5n]]),
    ...change,
  })
}
