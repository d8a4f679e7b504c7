import { BackendError, PAGE_SIZE } from '@xen-replication/hypervisor'
import { createPolicy, createTsc } from '../cpu/policy.ts'
import { createModelState } from '../device/model-state.ts'
import type { Guest } from '../guest/guest.ts'
import type { GuestRecord } from '../guest/record.ts'
import { StatePage, type StateField } from '../guest/state-page.ts'
import { defaultRates, workloads } from '../guest/workload.ts'
import { createContext } from '../hvm/context.ts'
import { DMA_PFN, LEAST_HVM_PAGES, XEN_PFN, hvmRegion, hvmRuns } from '../hvm/layout.ts'
import { createParams } from '../hvm/params.ts'
import { EXTENT_FRAMES } from '../memory/machine.ts'
import { MAX_PFNS } from '../memory/frame-space.ts'
import { LEAST_PV_PAGES, bootPv, fillRegion } from '../pv/boot.ts'
import { bootProcesses } from '../pv/processes.ts'
import { COUNTER_PFN, STATE_PFN } from '../guest/state-page.ts'
import { hash32, randomBytes, uuidOf } from '../random.ts'
import type { HostCore } from './host-core.ts'
import { createConfig } from './config-text.ts'
import type { GuestSpec } from './options.ts'
import { PORTS } from './ports.ts'

const MIB = 2 ** 20
/** Network cards or disks of a guest, less one. */
const MOST_DEVICES = 9
const NAME = /^[A-Za-z0-9_.+:-]+$/

/** A guest as it was asked for, with everything filled in. */
type Whole = Required<Omit<GuestSpec, 'width' | 'suspend' | 'start'>> & { readonly width: 4 | 8; readonly pages: number }

/** Makes a guest that has booted and runs. @throws BackendError BACKEND_NAME_TAKEN, BACKEND_MEMORY, BACKEND_UNSUPPORTED */
export async function createGuest(core: HostCore, spec: GuestSpec): Promise<number> {
  check(complete(spec, 0), spec, core)
  const { record, lease, whole } = await core.change((change) => {
    if (change.guests().some(({ name }) => name === spec.name)) throw new BackendError('BACKEND_NAME_TAKEN', `there is a domain ${spec.name} already`)
    const domId = change.nextDomId()
    const whole = complete(spec, hash32(core.store.seed, domId))
    return { ...core.found(change, blankRecord(domId, whole, spec), Math.ceil(whole.pages / EXTENT_FRAMES) + 1), whole }
  })
  const guest = core.admit(record, lease)
  try {
    guest.space.grant(record.extents)
    if (whole.kind === 'pv') fillPv(guest, whole)
    else fillHvm(guest, whole)
    const now = core.clock.now()
    guest.timeline = { paused: spec.start === 'paused', shutdown: undefined, ranUs: 0, at: now }
    await (core.store.lasting ? core.detach(record.domId) : core.save(guest))
  } catch (cause) {
    await core.destroy(record.domId)
    throw cause
  }
  return record.domId
}

function complete(spec: GuestSpec, seed: number): Whole {
  const workload = spec.workload ?? 'counter'
  const memoryBytes = spec.memoryBytes ?? 64 * MIB
  return {
    vcpus: 1, seed, p2m: 'linear', balloonedPages: 0, fill: 0, nics: 1, disks: 1, tablesEvery: 500, noiseEvery: 0, modelXenstore: [], modelBytes: 24 * 1024,
    ...spec,
    width: spec.width ?? 8, workload, memoryBytes,
    rate: spec.rate ?? defaultRates[workload],
    pages: Math.ceil(memoryBytes / PAGE_SIZE),
  }
}

function check(whole: Whole, { width }: GuestSpec, { options }: HostCore): void {
  const { name, kind, pages, vcpus, balloonedPages } = whole
  const refuse = (what: string): never => {
    throw new BackendError('BACKEND_UNSUPPORTED', what)
  }
  if (!NAME.test(name)) refuse(`"${name}" is no name for a domain: letters, digits and _ . + : - may be in it`)
  if (!workloads.includes(whole.workload)) refuse(`there is no workload ${whole.workload as string}; there are ${workloads.join(', ')}`)
  if (vcpus < 1 || !isCount(vcpus, kind === 'pv' ? 33 : 129)) refuse(`${vcpus} vCPUs are not possible`)
  for (const [what, count] of Object.entries({ nics: whole.nics, disks: whole.disks })) if (!isCount(count, MOST_DEVICES)) refuse(`${count} ${what} are not possible`)
  if (!isCount(balloonedPages, MAX_PFNS)) refuse(`${balloonedPages} ballooned pages are not possible`)
  if (!isCount(whole.tablesEvery, 2 ** 32)) refuse(`page tables cannot change every ${whole.tablesEvery} operations`)
  if (!isCount(whole.noiseEvery, 2 ** 32)) refuse(`a packet cannot differ every ${whole.noiseEvery} packets`)
  if (!(whole.rate >= 0 && whole.rate <= 1e6)) refuse(`${whole.rate} operations a second are not possible`)
  if (!(whole.fill >= 0 && whole.fill <= 1)) refuse(`a part of memory is a number from 0 to 1, not ${whole.fill}`)
  if (kind !== 'pv' && width === 4) refuse('only PV guests have a width')
  if (kind === 'pv' && whole.width === 4 && options.pv32 === 'no') refuse('this host does not run 32-bit PV guests')
  const least = (kind === 'pv' ? LEAST_PV_PAGES : LEAST_HVM_PAGES) + balloonedPages
  if (!(pages >= least && pages < MAX_PFNS)) refuse(`a ${kind} guest has ${(least * PAGE_SIZE) / 1024} KiB to ${(MAX_PFNS * PAGE_SIZE) / 1024 / MIB} GiB of memory, not ${whole.memoryBytes} bytes`)
}

const isCount = (count: number, below: number): boolean => Number.isInteger(count) && count >= 0 && count < below

function blankRecord(domId: number, whole: Whole, spec: GuestSpec): GuestRecord {
  const uuid = uuidOf(hash32(whole.seed, domId))
  const { kind, name, vcpus, width, nics, disks } = whole
  return {
    domId, name, uuid, kind, width, vcpus, nics, disks,
    config: createConfig({ ...whole, uuid }),
    phase: 'building', generation: 0, pages: whole.pages, maxPages: whole.pages + 256, extents: [], populated: [],
    timeline: { paused: true, shutdown: undefined, ranUs: 0, at: 0 },
    doneUs: 0, pinned: [], sharedInfo: new Uint8Array(kind === 'pv' ? PAGE_SIZE : 0),
    cpu: { tsc: createTsc(), ...createPolicy(), params: [], context: new Uint8Array(0), vcpus: [] },
    model: undefined,
    suspend: { answer: 'suspend', latencyMs: 0, ...spec.suspend },
  }
}

/** What every guest's state page says of its work. */
function workOf({ workload, rate, tablesEvery, noiseEvery, kind, nics, disks }: Whole): Partial<Record<StateField, number>> {
  return {
    workload: workloads.indexOf(workload), rate, packetEvery: nics === 0 ? 0 : 100, diskEvery: disks === 0 ? 0 : 150, blocks: 4096,
    tablesEvery: kind === 'pv' ? tablesEvery : 0, dmaEvery: kind === 'hvm' ? 50 : 0, dmaPfn: DMA_PFN, noiseEvery,
  }
}

function fillPv(guest: Guest, whole: Whole): void {
  const { ram, pv, machine, domId } = guest
  if (pv === undefined) return
  const populated = whole.pages - whole.balloonedPages
  for (let pfn = 0; pfn < populated; pfn += 1) pv.space.populate(pfn)
  pv.space.stretch(whole.pages)
  const { vcpus, topTable } = bootPv({
    ...whole, ram, space: pv.space, pfns: whole.pages, ballooned: whole.balloonedPages, state: workOf(whole),
    sharedInfo: { page: pv.sharedInfo.page, frame: machine.sharedInfoFrame(domId) }, ports: PORTS,
  })
  guest.cpu.vcpus.push(...vcpus)
  const { types } = pv
  types.pin(topTable, whole.width === 8 ? 4 : 3)
  const state = new StatePage(ram)
  const user = bootProcesses({ ram, types, state, width: whole.width })
  if (user !== undefined && whole.width === 8) guest.context(0)?.setTopTables(pv.space.mfn(topTable), pv.space.mfn(user))
  for (let id = 0; id < vcpus.length; id += 1) guest.useTables(guest.context(id))
  guest.kernel()?.boot()
}

function fillHvm(guest: Guest, whole: Whole): void {
  const { ram, space, cpu } = guest
  const kind = whole.kind === 'hvm' ? 'hvm' : 'pvh'
  for (const [start, count] of hvmRuns(kind, whole.pages)) for (let gfn = start; gfn < start + count; gfn += 1) space.populate(gfn)
  const [regionStart, regionPages] = hvmRegion(kind, whole.pages)
  new StatePage(ram).create({ ...workOf(whole), regionStart, regionPages }, whole.seed)
  for (const pfn of [STATE_PFN, COUNTER_PFN, XEN_PFN, DMA_PFN]) ram.touch(pfn)
  ram.page(1).set(randomBytes(PAGE_SIZE, whole.seed))
  ram.touch(1)
  fillRegion(ram, regionStart, Math.floor(regionPages * whole.fill), whole.seed)
  for (const [index, value] of createParams(kind, PORTS)) cpu.params.set(index, value)
  cpu.context = createContext({ kind, vcpus: whole.vcpus, seed: whole.seed })
  if (kind === 'hvm') guest.model = { state: createModelState(whole.modelBytes, whole.seed), xenstore: whole.modelXenstore }
}
