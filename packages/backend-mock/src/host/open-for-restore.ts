import { BackendError, PAGE_SIZE, type GuestForRestore, type RestoreRequest } from '@xen-replication/hypervisor'
import { createPolicy, createTsc } from '../cpu/policy.ts'
import type { GuestRecord } from '../guest/record.ts'
import { RestoreHandle } from '../ports/restore-handle.ts'
import { MAX_PFNS } from '../memory/frame-space.ts'
import { hash32, uuidOf } from '../random.ts'
import { readConfig } from './config-text.ts'
import type { HostCore } from './host-core.ts'

/** vCPUs of a guest whose configuration does not say how many: the most that Xen gives. */
const UNKNOWN_VCPUS = { pv: 32, pvh: 128, hvm: 128 } as const
/** Pages a guest may have beyond its memory: special pages, and some for a firmware. */
const SLACK_PAGES = 1280

/** Makes a paused, empty domain. @throws BackendError BACKEND_NAME_TAKEN, BACKEND_MEMORY */
export async function openForRestore(core: HostCore, request: RestoreRequest): Promise<GuestForRestore> {
  const { record, lease } = await core.change((change) => {
    if (change.guests().some(({ name }) => name === request.name)) throw new BackendError('BACKEND_NAME_TAKEN', `there is a domain ${request.name} already`)
    return core.found(change, blankRecord(core, change.nextDomId(), request), 0)
  })
  return new RestoreHandle(core, core.admit(record, lease))
}

function blankRecord(core: HostCore, domId: number, { kind, name, config }: RestoreRequest): GuestRecord {
  const { uuid, vcpus, memoryKiB, videoKiB } = readConfig(config)
  return {
    domId, name, kind, config,
    uuid: uuid ?? uuidOf(hash32(core.store.seed, domId)),
    width: 8,
    vcpus: Math.min(vcpus ?? UNKNOWN_VCPUS[kind], UNKNOWN_VCPUS[kind]),
    phase: 'building', generation: 0, pages: 0,
    maxPages: memoryKiB === undefined ? MAX_PFNS : Math.ceil((memoryKiB + (videoKiB ?? 0)) / 4) + SLACK_PAGES,
    extents: [], populated: [],
    timeline: { paused: true, shutdown: undefined, ranUs: 0, at: core.clock.now() },
    doneUs: 0, pinned: [], sharedInfo: new Uint8Array(kind === 'pv' ? PAGE_SIZE : 0),
    cpu: { tsc: createTsc(), ...createPolicy(), params: [], context: new Uint8Array(0), vcpus: [] },
    model: undefined,
    suspend: { answer: 'suspend', latencyMs: 0 },
    nics: 1, disks: 1,
  }
}
