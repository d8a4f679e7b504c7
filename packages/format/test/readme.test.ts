import { readFileSync } from 'node:fs'
import { format } from 'node:util'
import { expect, it, vi } from 'vitest'

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')
const [, code = '', , output = ''] = read('../README.md').split(/^```(?:ts|text)?\n/m)

it('the example in the README is the one that is run here', () => {
  expect(code).toBe(read('readme-example.ts'))
})

it('the example in the README prints what the README says', async () => {
  const log = vi.spyOn(console, 'log').mockReturnValue(undefined)
  try {
    await import('./readme-example.ts')
    expect(log.mock.calls.map((words) => `${format(...words)}\n`).join('')).toBe(output)
  } finally {
    log.mockRestore()
  }
})
