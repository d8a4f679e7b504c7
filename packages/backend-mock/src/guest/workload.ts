import type { Ram } from '../memory/ram.ts'
import { PAGE_WORDS } from '../memory/ram.ts'
import { nextBelow, nextRandom } from '../random.ts'
import type { StatePage } from './state-page.ts'

/** What a simulated guest does all day. */
export const workloads = ['idle', 'counter', 'uniform', 'zipf', 'sequential', 'database'] as const
export type WorkloadName = (typeof workloads)[number]

/** Operations a second when nothing else is asked for. */
export const defaultRates: Readonly<Record<WorkloadName, number>> = { idle: 0, counter: 1000, uniform: 2000, zipf: 5000, sequential: 4000, database: 3000 }

/** Where a workload works. The generator's state lies in `state.words`, in guest memory. */
export interface WorkPlace {
  readonly ram: Ram
  readonly state: StatePage
  readonly start: number
  readonly pages: number
}

/** Does the operations `from` to `to` - 1. */
type Work = (place: WorkPlace, from: number, to: number) => void

/** Words that an operation writes, at a place of the page that is a multiple of it. */
const RECORD_WORDS = 4

const idle: Work = () => undefined

const uniform: Work = (place, from, to) => {
  for (let op = from; op < to; op += 1) put(place, nextBelow(place.state.words, place.state.rng, place.pages), op)
}

/** A page's share falls with its rank: page r of N is written about 1 / (r ln N) of the time. */
const zipf: Work = (place, from, to) => {
  for (let op = from; op < to; op += 1) put(place, zipfPage(place, place.pages), op)
}

const sequential: Work = (place, from, to) => {
  for (let op = from; op < to; op += 1) put(place, op % place.pages, op)
}

/** Pages of a database page, operations between two checkpoints of it, and pages that such a checkpoint writes. */
const DATABASE_PAGE = 2
const CHECKPOINT_EVERY = 1024
const CHECKPOINT_PAGES = 64

/** Each operation appends to a log and changes a page that is often in use; now and then many are written out in a row. */
const database: Work = (place, from, to) => {
  const log = Math.max(Math.floor(place.pages / 8), 1)
  const tables = Math.max(place.pages - log, 1)
  for (let op = from; op < to; op += 1) {
    put(place, Math.floor(op / 16) % log, op)
    const at = zipfPage(place, Math.max(Math.floor(tables / DATABASE_PAGE), 1)) * DATABASE_PAGE
    put(place, log + (at % tables), op)
    put(place, log + ((at + 1) % tables), op)
    if (op % CHECKPOINT_EVERY !== CHECKPOINT_EVERY - 1) continue
    const first = Math.floor(op / CHECKPOINT_EVERY) * CHECKPOINT_PAGES
    for (let i = 0; i < CHECKPOINT_PAGES; i += 1) put(place, log + ((first + i) % tables), op)
  }
}

/** By number, as the state page holds it. `counter` needs nothing but the page that every guest counts in. */
export const workByNumber: readonly Work[] = [idle, idle, uniform, zipf, sequential, database]

function zipfPage({ state }: WorkPlace, pages: number): number {
  const part = nextRandom(state.words, state.rng) / 2 ** 32
  const rank = Math.min(Math.floor(Math.exp(part * Math.log(pages + 1))), pages) - 1
  return (rank * 7919) % pages // neighbours in rank are no neighbours in memory
}

function put({ ram, state, start }: WorkPlace, page: number, op: number): void {
  const at = (op % (PAGE_WORDS / RECORD_WORDS)) * RECORD_WORDS
  const pfn = start + page
  ram.write32(pfn, at, op >>> 0)
  ram.write32(pfn, at + 1, nextRandom(state.words, state.rng))
}
