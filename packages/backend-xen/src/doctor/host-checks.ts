import { isXrError } from '@xen-replication/errors'
import { infoLine, virtCaps } from '../host/capabilities.ts'
import { LIBXL_DIR } from '../host/user-data.ts'
import { LIBRARIES, type LibraryName } from '../native/libraries.ts'
import { PRIVCMD, XEN_RUN_DIR } from '../native/open-platform.ts'
import { ok, problem, warning, type Check, type HostProbe } from './check.ts'

/** Devices of the control domain, the module each comes from, and what goes without it. */
const DEVICES = [
  { path: PRIVCMD, module: 'xen-privcmd', verdict: problem, for: 'everything' },
  { path: '/dev/xen/evtchn', module: 'xen-evtchn', verdict: problem, for: 'suspending guests over event channels' },
  { path: '/dev/xen/hypercall', module: 'xen-privcmd of Linux 4.18 or later', verdict: warning, for: 'memory for hypercalls that never faults' },
] as const

/** Least free memory that is enough for a small guest to come in, in MiB. */
const FREE_MIB = 256

const said = (error: unknown): string => (error instanceof Error ? error.message : String(error))
const hintOf = (error: unknown, otherwise: string): string => (isXrError(error) ? (error.hint ?? otherwise) : otherwise)

/** Checks of the host itself, in the order in which they are to be mended. */
export const hostChecks: readonly Check[] = [
  {
    name: 'privileges',
    look: async ({ uid }) => Promise.resolve([uid === 0 ? ok('xr runs as root') : problem(`xr runs as user ${uid}, whom the hypervisor gives nothing`, 'run it as root: sudo xr doctor')]),
  },
  {
    name: 'devices',
    look: (probe) => Promise.all(DEVICES.map(async ({ path, module, verdict, for: what }) => ((await probe.kind(path)) === 'device' ? ok(`${path} is there`) : verdict(`${path} is missing, which is needed for ${what}`, `modprobe ${module}`)))),
  },
  {
    name: 'koffi',
    look: async (probe) => {
      const lacks = await probe.lacks('koffi')
      return [lacks === undefined ? ok('native libraries can be called') : problem(lacks, 'npm install koffi@3.3.4, where xr is installed')]
    },
  },
  {
    name: 'libraries',
    look: (probe) =>
      Promise.all(
        (Object.keys(LIBRARIES) as LibraryName[]).map(async (name) => {
          const lacks = await probe.lacks(name)
          return lacks === undefined ? ok(`${LIBRARIES[name]} is there`) : problem(lacks, `install Xen's libraries; on Debian: apt install lib${name}1`)
        }),
      ),
  },
  { name: 'hypervisor', look: lookAtHypervisor },
  {
    name: 'xenstore',
    look: async (probe) => {
      const platform = await probe.platform().catch(() => undefined)
      if (platform === undefined) return [{ verdict: 'skipped', found: 'not looked at, because the hypervisor is not reached', fix: undefined }]
      try {
        await (await platform.xenstore()).list('/local/domain')
        return [ok('xenstored answers')]
      } catch (error) {
        return [problem(said(error), hintOf(error, 'start xenstored: systemctl start xenstored'))]
      }
    },
  },
  { name: 'xl', look: lookAtXl },
  {
    name: 'folders',
    look: (probe) =>
      Promise.all(
        [XEN_RUN_DIR, LIBXL_DIR].map(async (path) => ((await probe.kind(path)) === 'folder' ? ok(`${path} is there`) : problem(`${path} is missing, where Xen's tools keep what they know of guests`, `mkdir -p ${path}, or start Xen's services: systemctl start xen-init-dom0`))),
      ),
  },
  {
    name: 'leftovers',
    look: async (probe) => {
      const left = (await probe.list(XEN_RUN_DIR)).filter((name) => name.startsWith('xr-restore-') || name.startsWith('xr-dm-'))
      return left.length === 0 ? [ok('nothing is left of runs that were killed')] : left.map((name) => warning(`${XEN_RUN_DIR}/${name} is there: an xr at work, or what is left of one that was killed`, `if no xr runs: rm -r ${XEN_RUN_DIR}/${name}`))
    },
  },
]

async function lookAtHypervisor(probe: HostProbe): Promise<readonly ReturnType<typeof ok>[]> {
  try {
    const { xen, domctl } = await probe.platform()
    return [ok(`Xen ${xen.major}.${xen.minor} takes control calls of version 0x${domctl.version.toString(16)}`)]
  } catch (error) {
    return [problem(said(error), hintOf(error, '`xl dmesg` may tell why'))]
  }
}

async function lookAtXl(probe: HostProbe): Promise<readonly ReturnType<typeof ok>[]> {
  const info = await probe.run('xl', ['info'])
  if (info === undefined) return [problem('xl does not answer, with which guests are made and ended', 'install Xen’s tools (on Debian: apt install xen-utils) and run `xl info` to see what is wrong')]
  const caps = virtCaps(info)
  const free = Number(infoLine(info, 'free_memory') ?? 'NaN')
  return [
    ok(`xl of Xen ${infoLine(info, 'xen_version') ?? 'unknown'} works`),
    caps.includes('shadow') ? ok('writes of PV guests can be tracked: live migration and Remus work for them') : warning('this Xen is built without shadow paging: PV guests can be saved, but neither be moved live nor replicated', 'use PVH guests, or a Xen built with CONFIG_SHADOW_PAGING=y'),
    caps.includes('hvm') ? ok('HVM and PVH guests can run') : warning('this host runs no HVM or PVH guests', 'turn on virtualisation (VT-x, AMD-V) in its firmware'),
    free >= FREE_MIB ? ok(`${free} MiB are free for guests that come in`) : warning(`${Number.isNaN(free) ? 'an unknown number of' : free} MiB are free for guests that come in`, 'give the control domain less: dom0_mem=4G,max:4G on the command line of Xen'),
  ]
}
