import { bytesText, countText, hexText, plural } from '../output/units.ts'
import type { LegacyDocument } from './document.ts'

const tscModes = ['default', 'always emulated', 'never emulated', 'PVRDTSCP (obsolete)'] as const

/** How the time stamp counter goes on. */
export function tscText({ mode, khz, nsec }: { readonly mode: number; readonly khz: number; readonly nsec: bigint }): string {
  return `${tscModes[mode] ?? `mode ${mode}`}, ${countText(khz)} kHz, ${countText(Number(nsec / 1_000_000n))} ms run`
}

/** Lines about a legacy payload; none when there is none. */
export function legacyPairs(legacy: LegacyDocument | undefined): readonly (readonly [name: string, value: string | undefined])[] {
  if (legacy === undefined) return []
  const types = Object.entries(legacy.types).map(([type, count]) => `${countText(count)} ${type}`)
  const params = legacy.hvmParams.map(({ index, value }) => `${index} ${hexText(value)}`)
  return [
    ['saved by', `a ${legacy.width}-bit toolstack${legacy.guestWidth === undefined ? '' : `, for a ${legacy.guestWidth}-bit guest`}`],
    ['guest size', plural(Number(legacy.pages), 'page')],
    ['pages', `${types.join(', ')} in ${plural(legacy.batches, 'batch', 'batches')}${legacy.compressed ? ', compressed' : ''}`],
    ['vCPUs', legacy.vcpus.join(', ') || undefined],
    ['time stamps', legacy.tsc && tscText(legacy.tsc)],
    ['HVM params', params.join(', ') || undefined],
    ['QEMU', legacy.qemu && `${legacy.qemu.signature}, ${bytesText(legacy.qemu.bytes)}`],
    ['toolstack', legacy.toolstack === 0 ? undefined : bytesText(legacy.toolstack)],
  ]
}
