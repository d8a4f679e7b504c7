import type { DomainSummary } from '@xen-replication/hypervisor'
import { lackingModules } from '../network/buffer-modules.ts'
import { ok, problem, warning, type Check, type Finding, type HostProbe } from './check.ts'

/** Checks of each guest, and of what replication needs. */
export const guestChecks: readonly Check[] = [
  { name: 'device models', look: async (probe) => (await hvms(probe)).length === 0 ? [ok('no HVM guest runs')] : Promise.all((await hvms(probe)).map((domain) => lookAtModel(probe, domain))) },
  {
    name: 'disks',
    look: async (probe) => {
      const found = (await Promise.all((await probe.domains()).map((domain) => lookAtDisks(probe, domain)))).flat()
      return found.length === 0 ? [ok('no guest has a disk in a file of this host')] : found
    },
  },
  {
    name: 'network buffer',
    look: async (probe) => {
      const lacking = await lackingModules((path) => probe.read(path), (await probe.run('uname', ['-r']))?.trim() ?? '')
      const programs = await Promise.all(['ip', 'tc'].map(async (name) => ((await probe.run(name, ['-V'])) === undefined ? [name] : [])))
      return [
        lacking.length === 0 ? ok('packets of guests can be held back') : warning(`the kernel has no ${lacking.join(', ')}: packets of replicated guests cannot be held back`, 'install all modules of your kernel (Debian’s have them), or replicate with -n -F'),
        ...programs.flat().map((name) => warning(`${name} is missing, with which packets of replicated guests are held back`, 'install iproute2')),
      ]
    },
  },
]

const hvms = async (probe: HostProbe): Promise<readonly DomainSummary[]> => (await probe.domains()).filter(({ kind, dying }) => kind === 'hvm' && !dying)

async function lookAtModel(probe: HostProbe, domain: DomainSummary): Promise<Omit<Finding, 'check'>> {
  if (isRestricted(await probe.config(domain))) return warning(`the device model of ${domain.name} is locked in (dm_restrict), so that it cannot write its state for xr`, 'migrate it with xl, or start it without dm_restrict')
  try {
    const qmp = await (await probe.platform()).qmp(domain.domId)
    qmp.close()
    return ok(`the device model of ${domain.name} answers`)
  } catch (error) {
    return problem(`the device model of ${domain.name} does not answer: ${error instanceof Error ? error.message : String(error)}`, `look at /var/log/xen/qemu-dm-${domain.name}.log; another tool may hold its socket`)
  }
}

/** A file is this host's alone, and two device models cannot have it open at once: QEMU locks it. */
async function lookAtDisks(probe: HostProbe, domain: DomainSummary): Promise<readonly Omit<Finding, 'check'>[]> {
  const found: Omit<Finding, 'check'>[] = []
  for (const path of diskPaths(await probe.config(domain))) {
    if ((await probe.kind(path)) !== 'file') continue
    found.push(warning(`${domain.name} has its disk in the file ${path}, which the other host does not see`, 'put it on storage that both hosts share, or give the other host a copy under the same path; both on one host: a copy each, for QEMU locks it'))
  }
  return found
}

function diskPaths(config: string | undefined): readonly string[] {
  const disks = field(parsed(config), 'disks')
  if (!Array.isArray(disks)) return []
  return disks.map((disk: unknown) => field(disk, 'pdev_path')).filter((path) => typeof path === 'string')
}

const isRestricted = (config: string | undefined): boolean => {
  const value = field(field(parsed(config), 'b_info'), 'dm_restrict')
  return value === true || value === 'True'
}

function parsed(config: string | undefined): unknown {
  try {
    return config === undefined ? undefined : JSON.parse(config)
  } catch {
    return undefined
  }
}

const field = (value: unknown, name: string): unknown => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined)
