import type { GuestForSave } from '@xen-replication/hypervisor'

// Knows page tables and p2m lists from the manuals, not from the code that makes them.

const PRESENT = 1n
const WRITE = 2n
const LARGE = 0x80n
const FRAME = 0x000ffffffffff000n

export interface Walked {
  /** What is wrong, in words. */
  readonly faults: string[]
  /** pfns that some L1 entry maps. */
  readonly mapped: Set<number>
  /** pfns of tables, with their level. */
  readonly tables: Map<number, number>
  /** Hypervisor slots that are in use in top tables. */
  xenSlots: number
}

async function page(guest: GuestForSave, frame: number): Promise<Uint8Array> {
  const mapped = await guest.memory.map([frame])
  const copy = mapped.page(0).slice()
  mapped.close()
  return copy
}

const words = (bytes: Uint8Array): BigUint64Array => new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8)
const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

/** mfn of each pfn, as the guest itself tells through shared_info. */
export async function guestsP2m(guest: GuestForSave): Promise<number[]> {
  const width = guest.facts.width as 4 | 8
  const info = view(await page(guest, guest.pv?.sharedInfoFrame as number))
  const word = (at64: number, at32: number): number => (width === 8 ? Number(info.getBigUint64(at64, true)) : info.getUint32(at32, true))
  const pfns = word(3088, 2316)
  const leaves = word(3120, 2332) === 0 ? await treeLeaves(guest, word(3096, 2320), pfns) : await linearLeaves(guest, info, pfns)
  const list: number[] = []
  for (const leaf of leaves) list.push(...entriesOf(await page(guest, leaf), width))
  return list.slice(0, pfns)
}

function entriesOf(bytes: Uint8Array, width: 4 | 8): number[] {
  const at = view(bytes)
  return Array.from({ length: 4096 / width }, (_, i) => (width === 8 ? Number(BigInt.asUintN(52, at.getBigUint64(i * 8, true))) : at.getUint32(i * 4, true)))
}

async function treeLeaves(guest: GuestForSave, top: number, pfns: number): Promise<number[]> {
  const width = guest.facts.width as 4 | 8
  const each = 4096 / width
  const leaves: number[] = []
  for (const mid of entriesOf(await page(guest, top), width).slice(0, Math.ceil(pfns / each / each))) leaves.push(...entriesOf(await page(guest, mid), width))
  return leaves.slice(0, Math.ceil(pfns / each))
}

async function linearLeaves(guest: GuestForSave, info: DataView, pfns: number): Promise<number[]> {
  const width = guest.facts.width as 4 | 8
  const address = width === 8 ? BigInt.asUintN(48, info.getBigUint64(3120, true)) : BigInt(info.getUint32(2332, true))
  const cr3 = width === 8 ? Number(info.getBigUint64(3112, true) >> 12n) : rotated(info.getUint32(2328, true))
  const leaves: number[] = []
  for (let i = 0; i < Math.ceil(pfns / (4096 / width)); i += 1) leaves.push(await translate(guest, cr3, address + BigInt(i) * 4096n))
  return leaves
}

const rotated = (cr3: number): number => ((cr3 >>> 12) | (cr3 << 20)) >>> 0

/** Frame behind a virtual address. */
async function translate(guest: GuestForSave, top: number, address: bigint): Promise<number> {
  let frame = top
  for (let level = guest.facts.width === 8 ? 4 : 3; level >= 1; level -= 1) {
    const entry = words(await page(guest, frame))[Number((address >> BigInt(3 + 9 * level)) & 511n)] as bigint
    if ((entry & PRESENT) === 0n) throw new Error(`0x${address.toString(16)} is not mapped at level ${level}`)
    frame = Number((entry & FRAME) >> 12n)
  }
  return frame
}

/** Top tables that a vCPU has in its control registers. */
async function topTables(guest: GuestForSave, id: number): Promise<number[]> {
  const vcpu = await guest.cpu.pvVcpu(id)
  if (vcpu === undefined) return []
  const at = view(vcpu.context)
  if (guest.facts.width === 4) return [rotated(at.getUint32(2728, true))]
  return [at.getBigUint64(5008, true), at.getBigUint64(4992, true)].filter((cr) => cr !== 0n).map((cr) => Number(cr >> 12n))
}

/** Goes through all tables below the given top tables, and through those that Xen says are pinned. */
export async function walk(guest: GuestForSave, p2m: readonly number[]): Promise<Walked> {
  const out: Walked = { faults: [], mapped: new Set(), tables: new Map(), xenSlots: 0 }
  const levels = guest.facts.width === 8 ? 4 : 3
  const types = new Map<number, number>()
  for (let at = 0; at < p2m.length; at += 1024) {
    const frames = p2m.slice(at, at + 1024)
    const found = await guest.memory.types(frames)
    frames.forEach((_, i) => types.set(at + i, found[i] as number))
  }
  const machine = guest.pv?.machine
  const pfnOf = (mfn: number): number => {
    const pfn = mfn <= (machine?.maxMfn ?? 0) ? (machine?.pfn(mfn) ?? -1) : -1
    return p2m[pfn] === mfn ? pfn : -1
  }
  p2m.forEach((mfn, pfn) => {
    if (types.get(pfn) !== 15 && pfnOf(mfn) !== pfn) out.faults.push(`p2m says 0x${mfn.toString(16)} for ${pfn}, m2p says ${machine?.pfn(mfn)}`)
  })
  const visit = async (mfn: number, level: number): Promise<void> => {
    const pfn = pfnOf(mfn)
    if (pfn < 0) return void out.faults.push(`L${level} table 0x${mfn.toString(16)} is not the guest's`)
    if (out.tables.has(pfn)) return out.tables.get(pfn) === level ? undefined : void out.faults.push(`page ${pfn} is a table of two levels`)
    out.tables.set(pfn, level)
    if (((types.get(pfn) as number) & 7) !== level) out.faults.push(`page ${pfn} is an L${level} table, Xen says ${types.get(pfn)}`)
    for (const [i, entry] of words(await page(guest, mfn)).entries()) await visitEntry(entry, i, level, pfn)
  }
  const visitEntry = async (entry: bigint, i: number, level: number, table: number): Promise<void> => {
    if ((entry & PRESENT) === 0n) return
    const mfn = Number((entry & FRAME) >> 12n)
    const xens = (level === 4 && i >= 256 && i <= 271) || (levels === 3 && level === 2 && i >= 428 && (entry & LARGE) !== 0n)
    if (xens) return void (out.xenSlots += 1)
    if (level > 1) return visit(mfn, level - 1)
    if (mfn === guest.pv?.sharedInfoFrame) return
    const pfn = pfnOf(mfn)
    if (pfn < 0) return void out.faults.push(`entry ${i} of L1 table ${table} names 0x${mfn.toString(16)}, which is not the guest's`)
    out.mapped.add(pfn)
    if ((entry & WRITE) !== 0n && (types.get(pfn) as number) !== 0) out.faults.push(`page table ${pfn} is mapped writable by entry ${i} of ${table}`)
  }
  for (let id = 0; id <= guest.facts.maxVcpuId; id += 1) for (const top of await topTables(guest, id)) await visit(top, levels)
  for (const [pfn, type] of types) if (type === levels + 8) await visit(p2m[pfn] as number, levels)
  for (const [pfn, type] of types) if (type >= 1 && type <= 12 && !out.tables.has(pfn)) out.faults.push(`Xen says page ${pfn} is a table (${type}), but no table names it`)
  return out
}
