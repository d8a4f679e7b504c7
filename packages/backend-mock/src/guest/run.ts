import { CPU_KHZ } from '../cpu/policy.ts'
import { COUNTER_PFN, StatePage } from './state-page.ts'
import { DMA_PFN, XEN_PFN } from '../hvm/layout.ts'
import { CALLBACK, PARAM } from '../hvm/params.ts'
import { cpuRecord } from '../hvm/context.ts'
import { CPU_FIELDS } from '../hvm/save-records.ts'
import { tellTime } from '../pv/shared-info.ts'
import { hash32 } from '../random.ts'
import { GuestCrash } from './crash.ts'
import type { Guest } from './guest.ts'
import type { GuestEvent } from './timeline.ts'
import { after, ranAt, runs } from './timeline.ts'
import { workByNumber, type WorkPlace } from './workload.ts'

/**
 * Brings a guest up to the present: takes in what has happened to it, and does the work of the time it has run. Does nothing twice, so it
 * may be called as often as anybody looks. A guest that cannot go on is shut down as crashed, at the same moment however often this is done anew.
 */
export function settle(guest: Guest, events: readonly GuestEvent[], now: number): void {
  for (const event of events.slice(guest.taken)) {
    guest.taken += 1
    live(guest, event.at, () => runTo(guest, ranAt(guest.timeline, event.at), event.at))
    const before = guest.timeline
    guest.timeline = after(before, event)
    live(guest, event.at, () => {
      if (before.shutdown !== guest.timeline.shutdown) passOn(guest, event)
      if (!runs(before) && runs(guest.timeline)) wake(guest)
    })
  }
  live(guest, now, () => runTo(guest, ranAt(guest.timeline, now), now))
}

function live(guest: Guest, at: number, work: () => void): void {
  try {
    work()
  } catch (cause) {
    if (!(cause instanceof GuestCrash)) throw cause
    guest.crash = cause.message
    guest.timeline = after(guest.timeline, { at, what: 'crash' })
  }
}

/** What being suspended and going on do to the guest itself. */
function passOn(guest: Guest, event: GuestEvent): void {
  const state = new StatePage(guest.ram)
  if (event.what === 'suspend') {
    if (state.present) state.set('suspended', 1)
    guest.kernel()?.beforeSuspend()
    guest.foreignKernel()?.beforeSuspend()
  }
  if (event.what === 'resume-cancelled') setReturn(guest, 1)
  if (event.what === 'resume') guest.kernel()?.readmit()
}

/** A guest that stood in the suspend call comes out of it. */
function wake(guest: Guest): void {
  const state = new StatePage(guest.ram)
  if (!state.present) return guest.foreignKernel()?.afterSuspend()
  if (state.get('suspended') === 0) return undefined
  const how = guest.kernel()?.afterSuspend() ?? (hvmReturn(guest) === 1 ? 'cancelled' : 'resumed')
  state.set('suspended', 0)
  state.count(how)
  setReturn(guest, 0)
  if (guest.pv === undefined) guest.cpu.params.set(PARAM.CALLBACK_IRQ, CALLBACK) // PV drivers say anew how they want to be called
  return undefined
}

/** Work of a guest up to a time of its own running. */
function runTo(guest: Guest, ranUs: number, now: number): void {
  if (ranUs <= guest.doneUs || !online(guest)) return
  const before = guest.doneUs
  guest.doneUs = ranUs
  tellXensTime(guest, ranUs)
  const state = new StatePage(guest.ram)
  if (!state.present) return
  const rate = state.get('rate')
  const due = opsAt(ranUs, rate) - opsAt(before, rate)
  if (due > 0) work(guest, state, { due, timeOf: (done) => now - (ranUs - before) / 1000 * (1 - done / due) })
}

const opsAt = (us: number, rate: number): number => Math.floor((us / 1e6) * rate)

interface Span {
  readonly due: number
  /** Host time at which so many of them were done. */
  readonly timeOf: (done: number) => number
}

/** Operations in stretches between those that do something more. */
function work(guest: Guest, state: StatePage, { due, timeOf }: Span): void {
  const doWork = workByNumber[state.get('workload')]
  if (doWork === undefined) throw new GuestCrash(`there is no workload ${state.get('workload')}`)
  const place: WorkPlace = { ram: guest.ram, state, start: state.get('regionStart'), pages: state.get('regionPages') }
  const first = state.ops
  for (let ops = first; ops < first + due; ) {
    const next = extras.reduce((end, { every }) => Math.min(end, following(ops, state.get(every))), first + due)
    if (place.pages > 0) doWork(place, ops, next)
    ops = next
    state.ops = ops
    for (const extra of extras) {
      if (state.get(extra.every) > 0 && ops % state.get(extra.every) === 0) extra.run(guest, state, ops, timeOf(ops - first))
    }
  }
  countPage(guest, state.ops)
  showInRegisters(guest, state.ops)
}

const following = (ops: number, every: number): number => (every === 0 ? Infinity : (Math.floor(ops / every) + 1) * every)

/** What a guest does besides its workload, every so many operations. */
const extras: readonly {
  readonly every: 'packetEvery' | 'diskEvery' | 'dmaEvery' | 'tablesEvery'
  run(guest: Guest, state: StatePage, ops: number, at: number): void
}[] = [
  {
    every: 'packetEvery',
    run: (guest, state, ops, sentAt) => {
      const { nics } = guest
      const number = state.count('packets')
      nics[number % nics.length]?.happen({ number, ops, sentAt, leftAt: sentAt, noise: noiseOf(guest, number, state.get('noiseEvery')) })
    },
  },
  {
    every: 'diskEvery',
    run: ({ disks }, state) => {
      const number = state.count('diskWrites')
      disks[number % disks.length]?.happen({ block: number % Math.max(state.get('blocks'), 1), number })
    },
  },
  {
    every: 'dmaEvery',
    run: (guest, _, ops) => {
      guest.ram.words(DMA_PFN)[0] = ops >>> 0
      if (guest.modelLogsDirty) guest.ram.touch(DMA_PFN)
      else guest.ram.touchUnseen(DMA_PFN)
    },
  },
  { every: 'tablesEvery', run: (guest) => guest.kernel()?.changeTables() },
]

/** What no two guests have alike, as a real one has it from its clocks and interrupts. */
const noiseOf = ({ doneUs, domId }: Guest, number: number, every: number): number => (every > 0 && number % every === 0 ? hash32(doneUs, domId, number) % 128 : 0)

function countPage({ ram }: Guest, ops: number): void {
  ram.write32(COUNTER_PFN, 0, ops % 2 ** 32)
  ram.write32(COUNTER_PFN, 1, Math.floor(ops / 2 ** 32))
}

/** Xen writes the time into shared_info, which no log of the guest's writes shows. */
function tellXensTime(guest: Guest, ranUs: number): void {
  if (guest.pv !== undefined) return tellTime(guest.pv.sharedInfo.page, guest.pv.width, ranUs)
  if (guest.space.locate(XEN_PFN) < 0 || !new StatePage(guest.ram).present) return
  tellTime(guest.ram.page(XEN_PFN), 8, ranUs)
  guest.ram.touchUnseen(XEN_PFN)
}

/** A guest without a vCPU does nothing. */
function online(guest: Guest): boolean {
  return guest.pv === undefined ? guest.cpu.context.length > 0 : guest.context(0)?.online === true
}

const hvmCpu = (guest: Guest): DataView | undefined => cpuRecord(guest.cpu.context, 0)

const hvmReturn = (guest: Guest): number => hvmCpu(guest)?.getUint32(CPU_FIELDS.rax, true) ?? 0

/** What the suspend call returns to the guest. */
function setReturn(guest: Guest, value: number): void {
  if (guest.pv !== undefined) guest.context(0)?.setRegister('rax', value)
  else if (value === 0 || (guest.cpu.params.get(PARAM.CALLBACK_IRQ) ?? 0n) !== 0n) hvmCpu(guest)?.setBigUint64(CPU_FIELDS.rax, BigInt(value), true)
}

/** Registers follow the work, so that a saved vCPU tells how far the guest was. */
function showInRegisters(guest: Guest, ops: number): void {
  if (guest.pv !== undefined) return guest.context(0)?.setRegister('rbx', ops)
  const cpu = hvmCpu(guest)
  cpu?.setBigUint64(CPU_FIELDS.rbx, BigInt(ops), true)
  cpu?.setBigUint64(CPU_FIELDS.tsc, (BigInt(guest.doneUs) * BigInt(CPU_KHZ)) / 1000n, true)
}
