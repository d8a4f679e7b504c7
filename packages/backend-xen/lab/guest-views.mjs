// What a test knows of a guest's memory from outside: which pages it writes, which it never does, and where they lie.
const PAGE = 4096
const BATCH = 1024
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i)

/** All pages of a guest by pfn: where they lie and of which type they are. A PV guest's are found by its own table. */
export async function pagesOf(guest) {
  const table = guest.pv === undefined ? undefined : await p2mOf(guest)
  const count = table === undefined ? await guest.memory.frames() : table.p2m.pages
  const pages = new Map()
  for (let at = 0; at < count; at += BATCH) {
    const pfns = range(at, Math.min(at + BATCH, count)).filter((pfn) => table === undefined || table.p2m.mfn(pfn) >= 0)
    const frames = pfns.map((pfn) => (table === undefined ? pfn : table.p2m.mfn(pfn)))
    const types = await guest.memory.types(frames)
    for (const [i, pfn] of pfns.entries()) if (types[i] < 13) pages.set(pfn, { frame: frames[i], type: types[i] })
  }
  table?.close()
  return pages
}

async function p2mOf(guest) {
  const { findP2m } = await import('/opt/xr/packages/libxc-stream/dist/save/pv/find-p2m.js')
  const { SharedInfoView } = await import('/opt/xr/packages/libxc-stream/dist/pv/shared-info.js')
  const shared = await guest.memory.map([guest.pv.sharedInfoFrame])
  const found = await findP2m(guest.memory, guest.pv, guest.facts.width, new SharedInfoView(shared.page(0), guest.facts.width))
  shared.close()
  return found
}

async function contents(guest, frames) {
  const copies = []
  for (let at = 0; at < frames.length; at += BATCH) {
    const mapped = await guest.memory.map(frames.slice(at, at + BATCH))
    for (let i = 0; i < mapped.count; i++) copies.push(Buffer.from(mapped.page(i)))
    mapped.close()
  }
  return copies
}

/** Watches a running guest. @returns pfns that change in every window, and ordinary ones that never do and are all different */
export async function watch(guest, pages, { windows = 6, ms = 500 } = {}) {
  const ordinary = [...pages].filter(([, { type }]) => type === 0)
  const first = await contents(guest, ordinary.map(([, { frame }]) => frame))
  let before = first
  let busy = ordinary.map((_, i) => i)
  for (let window = 0; window < windows; window++) {
    await sleep(ms)
    const now = await contents(guest, busy.map((i) => ordinary[i][1].frame))
    const changed = busy.filter((i, at) => !now[at].equals(window === 0 ? first[i] : before[at]))
    before = changed.map((i) => now[busy.indexOf(i)])
    if (window === 0) var touched = new Set(changed)
    busy = changed
  }
  const seen = new Set()
  const still = ordinary.map((_, i) => i).filter((i) => {
    const key = first[i].toString('latin1')
    if (touched.has(i) || first[i].every((byte) => byte === 0) || seen.has(key)) return false
    seen.add(key)
    return true
  })
  const pfn = (i) => ordinary[i][0]
  return { busy: busy.map(pfn), quiet: still.map(pfn) }
}

export { PAGE, sleep }
