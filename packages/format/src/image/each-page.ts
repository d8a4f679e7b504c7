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
  const offset = body.offset + body.length - body.left
  const bytes = await body.upTo(run.length * PAGE_SIZE)
  for (const [n, entry] of run.entries()) {
    const page = bytes.subarray(n * PAGE_SIZE, (n + 1) * PAGE_SIZE)
    if (page.length === PAGE_SIZE) use(page, entry, offset + n * PAGE_SIZE)
  }
}
