import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { scratch, xr } from './run-xr.ts'

describe('a long document in UTF-8', () => {
  it.each(['a', 'aü', 'aü€', 'aü€😀'])('comes through wherever it is cut, behind %s', async (front) => {
    const config = front + 'plain '.repeat(20_000) + 'ü€😀'.repeat(20_000) + 'plain '.repeat(40_000) + 'ü€😀'.repeat(20_000) + '\0'
    const folder = scratch()
    const [json, out] = [join(folder, 'in.json'), join(folder, 'out')]
    writeFileSync(json, `\ufeff{"schema":"xr.decode/1","items":[{"kind":"xl-block","value":{"config":${JSON.stringify(config)},"rest":""}}]}`)
    expect(await xr(['encode', json, '-o', out])).toMatchObject({ exit: 0 })
    expect(readFileSync(out).subarray(4).equals(Buffer.from(config))).toBe(true)
  })
})
