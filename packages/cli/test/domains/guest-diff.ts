import type { GuestKind } from '@xen-replication/hypervisor'
import { fileOf, xrJson } from '../run-xr.ts'

/** Pages that a PV kernel rewrites when it finds itself elsewhere: its notes of being resumed, its start info, its p2m. */
const OWN_PAGES: readonly number[] = [3, 16, 32, 33, 34, 35, 36]
/** The console ring, which a restorer empties. Source: xg_sr_restore_x86_hvm.c, HVM_PARAM_CONSOLE_PFN. */
const CONSOLE_GFN = 0xfefff

interface Diff {
  readonly records: readonly unknown[]
  readonly state: { readonly list: readonly { readonly path: string }[] }
  readonly emulator: { readonly same: boolean }
  readonly pages: { readonly onlyA: { readonly pages: number }; readonly onlyB: { readonly pages: number }; readonly types: { readonly pages: number }; readonly contents: { readonly list: readonly { readonly from: number; readonly count: number }[] } }
}

/** In what two libxl streams of a guest differ, one made before it moved and one after, that cannot come from moving. */
export async function differences(kind: GuestKind, before: Uint8Array, after: Uint8Array): Promise<readonly string[]> {
  const { records, state, emulator, pages } = (await xrJson('diff', fileOf(before), fileOf(after))).document as Diff
  const expected = kind === 'pv' ? OWN_PAGES : [CONSOLE_GFN]
  return [
    ...records.map((record) => `record ${JSON.stringify(record)}`),
    ...state.list.filter(({ path }) => !path.startsWith('SHARED_INFO.info.')).map(({ path }) => path),
    ...(emulator.same ? [] : ['emulator']),
    ...Object.entries({ onlyA: pages.onlyA, onlyB: pages.onlyB, types: pages.types }).flatMap(([name, { pages: count }]) => (count === 0 ? [] : [`${count} pages: ${name}`])),
    ...pages.contents.list.flatMap(({ from, count }) => Array.from({ length: count }, (_, i) => from + i)).filter((pfn) => !expected.includes(pfn)).map((pfn) => `page ${pfn}`),
  ]
}
