import { describe, expect, it } from 'vitest'
import { docs } from './docs.ts'

const { documents, textOf, freshTextOf, ERRORS_PAGE } = await docs()
const withSessions = documents().filter((path) => path !== ERRORS_PAGE && textOf(path).includes('```console\n'))

describe('console sessions in the documents', () => {
  it.each(withSessions)('%s shows what the commands print; `npm run docs` brings it up to date', { timeout: 60_000 }, async (path) => {
    expect(textOf(path)).toBe(await freshTextOf(path))
  })

  it('are found', () => {
    expect(withSessions).toContain('README.md')
  })
})
