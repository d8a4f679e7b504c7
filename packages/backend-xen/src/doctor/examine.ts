import type { Check, Finding, HostProbe } from './check.ts'
import { guestChecks } from './guest-checks.ts'
import { hostChecks } from './host-checks.ts'

/** What came of looking at a host. */
export interface Examination {
  /** `elsewhere`: this is no control domain of a Xen host, so that nothing else was looked at. */
  readonly host: 'xen' | 'elsewhere'
  readonly findings: readonly Finding[]
}

/** Tells what this is. Source: xenfs. */
const CAPABILITIES = '/proc/xen/capabilities'
const HYPERVISOR = '/sys/hypervisor/type'

/** Looks at everything that xr needs of a host. Never throws: what goes wrong is a finding. */
export async function examine(probe: HostProbe): Promise<Examination> {
  const place = await whereAmI(probe)
  if (place.verdict !== 'ok') return { host: 'elsewhere', findings: [place] }
  const host = await lookAll(hostChecks, probe)
  const usable = host.every(({ verdict }) => verdict !== 'problem')
  return { host: 'xen', findings: [place, ...host, ...(usable ? await lookAll(guestChecks, probe) : guestChecks.map(({ name }) => skipped(name)))] }
}

async function whereAmI(probe: HostProbe): Promise<Finding> {
  const check = 'control domain'
  if ((await probe.read(CAPABILITIES))?.includes('control_d') === true) return { check, verdict: 'ok', found: 'this is the control domain of a Xen host', fix: undefined }
  if ((await probe.read(HYPERVISOR))?.trim() === 'xen') {
    return (await probe.kind('/proc/xen')) === 'nothing' || (await probe.read(CAPABILITIES)) === undefined
      ? { check, verdict: 'problem', found: 'this runs under Xen, but /proc/xen/capabilities cannot be read', fix: 'in the control domain: mount -t xenfs xenfs /proc/xen' }
      : { check, verdict: 'problem', found: 'this is a guest of a Xen host, not its control domain', fix: 'run xr in the control domain; here it can read images, and simulate a host: --backend mock' }
  }
  return { check, verdict: 'problem', found: 'this machine does not run Xen', fix: 'boot it with a Xen hypervisor; without one xr reads images, and simulates a host: --backend mock' }
}

async function lookAll(checks: readonly Check[], probe: HostProbe): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const { name, look } of checks) {
    const found = await look(probe).catch((error: unknown) => [{ verdict: 'problem' as const, found: `cannot be looked at: ${error instanceof Error ? error.message : String(error)}`, fix: 'mend what stands above first' }])
    findings.push(...found.map((one) => ({ check: name, ...one })))
  }
  return findings
}

const skipped = (check: string): Finding => ({ check, verdict: 'skipped', found: 'not looked at, because of the problems above', fix: undefined })
