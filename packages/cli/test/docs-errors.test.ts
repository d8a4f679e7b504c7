import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { docs } from './docs.ts'

const packages = fileURLToPath(new URL('../../', import.meta.url))

/** Every code with which an error is made somewhere in the source of a package. */
function thrownCodes(): readonly string[] {
  const sources = readdirSync(packages, { recursive: true, encoding: 'utf8' }).filter((path) => /^[a-z-]+\/src\/.*\.ts$/.test(path))
  const codes = sources.flatMap((path) => [...readFileSync(join(packages, path), 'utf8').matchAll(/new (?:[A-Z]\w*)?Error\(\s*'([A-Z][A-Z0-9]*_[A-Z0-9_]+)'/g)].map(([, code]) => code as string))
  return [...new Set(codes)].sort()
}

describe('docs/errors.md', () => {
  it('names every error code and every rule as the code has them; `npm run docs` brings it up to date', async () => {
    const { textOf, freshTextOf, ERRORS_PAGE } = await docs()
    expect(textOf(ERRORS_PAGE)).toBe(await freshTextOf(ERRORS_PAGE))
  })

  it('has every code with which any package makes an error', async () => {
    const { textOf, ERRORS_PAGE } = await docs()
    const page = textOf(ERRORS_PAGE)
    const codes = thrownCodes()
    expect(codes).toEqual(expect.arrayContaining(['BACKEND_MAP', 'CLI_USAGE', 'FMT_TRUNCATED', 'LINK_LOST', 'PLUGIN_LOAD', 'SAVE_ABORTED', 'SESSION_DIGEST', 'TOOL_LEFT_OVER']))
    expect(codes.filter((code) => !page.includes(`| ${code} |`) && !page.includes(`#### ${code}\n`))).toEqual([])
  })
})
