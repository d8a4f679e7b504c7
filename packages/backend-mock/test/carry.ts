import type { MockHost } from '@xen-replication/backend-mock'
import type { DomId, GuestForRestore, GuestForSave } from '@xen-replication/hypervisor'
import { guestsP2m } from './pv/walker.ts'

// Brings a suspended guest to another host, page by page and with no stream in between.

const PARAMS = [1, 5, 6, 27, 28, 29, 17, 19, 12, 34, 32, 33]

/** What a test may do to a guest on its way, to see it refused. */
export interface Spoil {
  readonly page?: (pfn: number, bytes: Uint8Array) => void
  readonly context?: (bytes: Uint8Array) => void
  readonly p2m?: (list: Uint8Array) => void
}

export async function carry(from: GuestForSave, to: GuestForRestore, spoil: Spoil = {}): Promise<void> {
  await to.cpu.setTsc(await from.cpu.tsc())
  await to.cpu.setPolicy(await from.cpu.policy())
  await (from.pv === undefined ? carryHvm(from, to) : carryPv(from, to, spoil))
}

/** The same, with opening and closing. @returns number of the domain on the other host. */
export async function moved(source: { readonly host: MockHost; readonly domId: DomId }, target: MockHost, spoil: Spoil = {}): Promise<DomId> {
  const from = await source.host.openForSave(source.domId)
  const { kind, domId } = from.facts
  await from.lifecycle.suspend()
  const to = await target.openForRestore({ kind, name: (await source.host.list()).find((one) => one.domId === domId)?.name ?? '', config: await source.host.config(domId) })
  try {
    await carry(from, to, spoil)
    return to.facts.domId
  } finally {
    await to.close()
    await from.close()
  }
}

async function carryHvm(from: GuestForSave, to: GuestForRestore): Promise<void> {
  const top = await from.memory.frames()
  for (let at = 0; at < top; at += 1024) {
    const all = Array.from({ length: Math.min(1024, top - at) }, (_, i) => at + i)
    const types = await from.memory.types(all)
    const here = all.filter((_, i) => types[i] === 0)
    if (here.length > 0) await copy(from, to, here, [...((await to.memory.populate(here, 0)) ?? [])])
  }
  for (const index of PARAMS) {
    const value = await from.cpu.hvmParam(index)
    if (value !== 0n) await to.cpu.setHvmParam(index, value)
  }
  await to.cpu.setHvmContext(await from.cpu.hvmContext())
  if (from.deviceModel !== undefined) {
    await to.deviceModel?.setState(await from.deviceModel.state())
    await to.deviceModel?.setXenstore(await from.deviceModel.xenstore())
  }
  await to.complete({ store: Number(await from.cpu.hvmParam(1)), console: Number(await from.cpu.hvmParam(17)) })
}

async function carryPv(from: GuestForSave, to: GuestForRestore, spoil: Spoil): Promise<void> {
  const width = from.facts.width as 4 | 8
  await to.pv?.setWidth(width)
  const p2m = await guestsP2m(from)
  const all: number[] = []
  for (let at = 0; at < p2m.length; at += 1024) all.push(...(await from.memory.types(p2m.slice(at, at + 1024))))
  const here = p2m.map((_, pfn) => pfn).filter((pfn) => all[pfn] !== 15)
  const frames = new Map<number, number>()
  ;[...((await to.memory.populate(here, 0)) ?? [])].forEach((mfn, i) => frames.set(here[i] as number, mfn))
  const localMfn = (mfn: number): number => frames.get(from.pv?.machine.pfn(mfn) ?? -1) ?? mfn
  for (const pfn of here) await carryPage(from, to, { pfn, mfn: p2m[pfn] as number, mfnThere: frames.get(pfn) as number, level: (all[pfn] as number) & 7, width, localMfn, spoil })
  await carryRest(from, to, { p2m, here, all, frames, localMfn, width, spoil })
}

interface Carried {
  readonly pfn: number
  readonly mfn: number
  readonly mfnThere: number
  readonly level: number
  readonly width: 4 | 8
  readonly localMfn: (mfn: number) => number
  readonly spoil: Spoil
}

async function carryPage(from: GuestForSave, to: GuestForRestore, { pfn, mfn, mfnThere, level, width, localMfn, spoil }: Carried): Promise<void> {
  const source = await from.memory.map([mfn])
  const bytes = source.page(0).slice()
  source.close()
  if (level > 0) {
    const entries = new BigUint64Array(bytes.buffer)
    const hole = width === 8 ? (level === 4 ? [256, 271] : [512, 512]) : level === 2 && (entries[428] as bigint) % 2n === 1n ? [428, 511] : level === 3 ? [4, 511] : [512, 512]
    entries.forEach((entry, i) => {
      if (i >= (hole[0] as number) && i <= (hole[1] as number)) entries[i] = 0n
      else if ((entry & 1n) === 1n) entries[i] = (entry & ~0xffffffffff000n) | (BigInt(localMfn(Number((entry >> 12n) & 0xffffffffffn))) << 12n)
    })
  }
  spoil.page?.(pfn, bytes)
  const target = await to.memory.map([mfnThere])
  target.page(0).set(bytes)
  target.close()
}

interface Rest {
  readonly p2m: readonly number[]
  readonly here: readonly number[]
  readonly all: readonly number[]
  readonly frames: ReadonlyMap<number, number>
  readonly localMfn: (mfn: number) => number
  readonly width: 4 | 8
  readonly spoil: Spoil
}

async function carryRest(from: GuestForSave, to: GuestForRestore, { p2m, here, all, frames, localMfn, width, spoil }: Rest): Promise<void> {
  const info = await to.memory.map([(await to.pv?.sharedInfoFrame()) as number])
  const infoFrom = await from.memory.map([from.pv?.sharedInfoFrame as number])
  info.page(0).set(infoFrom.page(0))
  infoFrom.close()
  info.close()
  // The guest's list is written anew, at its leaves.
  const each = 4096 / width
  const leaves = leavesOf(p2m, each)
  for (const [n, pfn] of leaves.entries()) {
    const target = await to.memory.map([frames.get(pfn) as number])
    const bytes = target.page(0)
    const view = new DataView(bytes.buffer, bytes.byteOffset, 4096)
    for (let i = 0; i < each && n * each + i < p2m.length; i += 1) {
      const mfn = frames.get(n * each + i) ?? 0xffffffff
      view.setUint32(i * width, mfn, true)
      if (width === 8) view.setUint32(i * 8 + 4, mfn === 0xffffffff ? 0xffffffff : 0, true)
    }
    spoil.p2m?.(bytes)
    target.close()
  }
  let start = 0
  for (let id = 0; id <= from.facts.maxVcpuId; id += 1) {
    const vcpu = await from.cpu.pvVcpu(id)
    if (vcpu === undefined) continue
    const view = new DataView(vcpu.context.buffer)
    const put = (offset: number): void => (width === 8 ? view.setBigUint64(offset, BigInt(localMfn(Number(view.getBigUint64(offset, true)))), true) : view.setUint32(offset, localMfn(view.getUint32(offset, true)), true))
    const cr = (offset: number): void => {
      const old = width === 8 ? Number(view.getBigUint64(offset, true) >> 12n) : ((view.getUint32(offset, true) >>> 12) | (view.getUint32(offset, true) << 20)) >>> 0
      const now = localMfn(old)
      if (width === 8) view.setBigUint64(offset, BigInt(now) << 12n, true)
      else view.setUint32(offset, ((now << 12) | (now >>> 20)) >>> 0, true)
    }
    if (id === 0) put(width === 8 ? 616 : 524)
    if (id === 0) start = width === 8 ? Number(view.getBigUint64(616, true)) : view.getUint32(524, true)
    put(width === 8 ? 4832 : 2640)
    cr(width === 8 ? 5008 : 2728)
    if (width === 8 && view.getBigUint64(4992, true) !== 0n) cr(4992)
    if (id === 0) await fitStartInfo(to, start, width, frames)
    spoil.context?.(vcpu.context)
    for (const part of ['context', 'extended', 'xsave', 'msrs'] as const) if (vcpu[part].length > 0) await to.cpu.setPvVcpu(id, part, vcpu[part])
  }
  const pinned = here.filter((pfn) => (all[pfn] as number) > 8)
  await to.pv?.pin(pinned.map((pfn) => ({ level: ((all[pfn] as number) & 7) as 1 | 2 | 3 | 4, mfn: frames.get(pfn) as number })))
  await to.complete({ store: frames.get(2) as number, console: frames.get(3) as number })
}

/** Simulated guests keep their list from page 32 on. */
const leavesOf = (p2m: readonly number[], each: number): number[] => Array.from({ length: Math.ceil(p2m.length / each) }, (_, n) => 32 + n)

async function fitStartInfo(to: GuestForRestore, frame: number, width: 4 | 8, frames: ReadonlyMap<number, number>): Promise<void> {
  const target = await to.memory.map([frame])
  const bytes = target.page(0)
  const view = new DataView(bytes.buffer, bytes.byteOffset, 4096)
  const shared = (await to.pv?.sharedInfoFrame()) as number
  const put = (offset64: number, offset32: number, value: number): void => (width === 8 ? view.setBigUint64(offset64, BigInt(value), true) : view.setUint32(offset32, value, true))
  const get = (offset64: number, offset32: number): number => (width === 8 ? Number(view.getBigUint64(offset64, true)) : view.getUint32(offset32, true))
  put(56, 44, frames.get(get(56, 44)) as number)
  put(72, 52, frames.get(get(72, 52)) as number)
  put(40, 36, shared * 4096)
  target.close()
}

async function copy(from: GuestForSave, to: GuestForRestore, source: number[], target: number[]): Promise<void> {
  const [read, write] = [await from.memory.map(source), await to.memory.map(target)]
  for (let i = 0; i < source.length; i += 1) write.page(i).set(read.page(i))
  read.close()
  write.close()
}
