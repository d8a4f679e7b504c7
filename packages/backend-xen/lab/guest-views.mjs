// What a test knows of a guest's memory from outside: which pages it writes, which it never does, and where they lie.
const PAGE = 4096
const BATCH = 1024
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i)

/** All pages of a guest as [pfn, frame]. Of a PV guest machine frames are asked whose they are, for its own table is its own business. */
export async function pagesOf(guest) {
  const frames = guest.pv === undefined ? await guest.memory.frames() : guest.pv.machine.maxMfn + 1
  const found = []
  for (let at = 0; at < frames; at += BATCH) {
    const part = range(at, Math.min(at + BATCH, frames))
    const types = await guest.memory.types(part)
    for (const [i, frame] of part.entries()) if (types[i] < 13) found.push([guest.pv === undefined ? frame : guest.pv.machine.pfn(frame), frame, types[i]])
  }
  return new Map(found.filter(([pfn]) => pfn < 2 ** 40).map(([pfn, frame, type]) => [pfn, { frame, type }]))
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
export async function watch(guest, pages, { windows = 4, ms = 700 } = {}) {
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
