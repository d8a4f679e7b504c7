import { describe, expect, it } from 'vitest'
import { docs } from './docs.ts'

describe('docs/errors.md', () => {
  it('names every error code and every rule as the code has them; `npm run docs` brings it up to date', async () => {
    const { textOf, freshTextOf, ERRORS_PAGE } = await docs()
    expect(textOf(ERRORS_PAGE)).toBe(await freshTextOf(ERRORS_PAGE))
  })
})
