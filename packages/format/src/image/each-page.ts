import { PAGE_SIZE } from '../bytes/limits.ts'
import { hasContent, type PageData } from '../libxc/page-data.ts'
import type { Body } from './body.ts'

/** Pages read at once. */
const PIECE = 64

/**
 * Reads the wanted ones of the pages that follow the entries of a PAGE_DATA record, in their order, and passes
 * over the others. Stops where the stream ends.
 *
 * @param wanted asked once for each entry that has content.
 * @param use gets the page, valid until it returns, the entry's number and the page's offset in the stream.
 */
export async function eachPage(body: Body, pages: PageData, wanted: (entry: number) => boolean, use: (page: Uint8Array, entry: number, offset: number) => void): Promise<void> {
  let passed = 0
  let run: number[] = []
  const flush = async (): Promise<void> => {
    if (run.length > 0) await readRun(body, run, use)
    run = []
  }
  for (let i = 0; i < pages.count; i++) {
    if (!hasContent(pages.type(i))) continue
    if (!wanted(i)) {
      await flush()
      passed++
      continue
    }
    if (passed > 0) await body.skip(passed * PAGE_SIZE)
    passed = 0
    run.push(i)
    if (run.length === PIECE) await flush()
  }
  await flush()
}

async function readRun(body: Body, run: readonly number[], use: (page: Uint8Array, entry: number, offset: number) => void): Promise<void> {
  let offset = body.offset + body.length - body.left
  for (let n = 0; n < run.length; ) {
    const bytes = await body.some((run.length - n) * PAGE_SIZE)
    if (bytes === undefined) return
    const whole = Math.floor(bytes.length / PAGE_SIZE)
    for (let k = 0; k < whole; k++) {
      use(bytes.subarray(k * PAGE_SIZE, (k + 1) * PAGE_SIZE), run[n++] as number, offset)
      offset += PAGE_SIZE
    }
    if (bytes.length === whole * PAGE_SIZE) continue
    const page = await completed(body, bytes.subarray(whole * PAGE_SIZE))
    if (page === undefined) return
    use(page, run[n++] as number, offset)
    offset += PAGE_SIZE
  }
}

/** A page whose first bytes have come, in memory of its own; undefined when the stream ends within it. */
async function completed(body: Body, first: Uint8Array): Promise<Uint8Array | undefined> {
  const page = new Uint8Array(PAGE_SIZE)
  page.set(first)
  const rest = await body.upTo(PAGE_SIZE - first.length)
  page.set(rest, first.length)
  return first.length + rest.length === PAGE_SIZE ? page : undefined
}
