import type { Capability } from '@xen-replication/hypervisor'

/** What every Xen host can do here. */
const ALWAYS: readonly Capability[] = ['log-dirty-hvm', 'device-model', 'fast-resume', 'restore-beside', 'lock-step']

/**
 * What this host can do. Writes of PV guests are tracked by shadow page tables only, which some builds of Xen lack.
 *
 * @param info what `xl info` printed.
 * @param lacking modules with which packets could be held back.
 */
export function capabilitiesOf(info: string, lacking: readonly string[]): ReadonlySet<Capability> {
  return new Set([...ALWAYS, ...(virtCaps(info).includes('shadow') ? ['log-dirty-pv' as const] : []), ...(lacking.length === 0 ? ['network-buffer' as const] : [])])
}

/** What the hypervisor can run and how, as `xl info` says it. */
export const virtCaps = (info: string): readonly string[] => infoLine(info, 'virt_caps')?.split(/\s+/) ?? []

/** One value of `xl info`. */
export const infoLine = (info: string, name: string): string | undefined => new RegExp(`^${name}\\s*:\\s*(.*?)\\s*$`, 'm').exec(info)?.[1]
