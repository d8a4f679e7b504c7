import { observerCases } from '@xen-replication/compliance'
import { contributionsOf, type Settings } from '@xen-replication/plugin-api'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { metricsPlugin, reportPlugin, spansPlugin } from '../src/index.ts'

const settings = (): Settings => {
  const folder = mkdtempSync(join(tmpdir(), 'xr-observers-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return { report: join(folder, 'a.html'), metrics: '127.0.0.1:0', traces: 'on' }
}

describe.each([['report', reportPlugin], ['metrics', metricsPlugin], ['traces', spansPlugin]] as const)('%s keeps what every observer promises', (_name, plugin) => {
  it.each(observerCases)('$name', async (one) => {
    const [found] = contributionsOf(plugin)
    const given = settings()
    await one.run(async () => {
      const observer = (found?.kind === 'observer' ? await found.what.open(given) : undefined) ?? expect.fail()
      return { observer, close: () => observer.close() }
    })
  })
})
