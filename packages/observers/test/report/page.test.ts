import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { AnyObservedEvent } from '@xen-replication/plugin-api'
import { plotLibrary } from '../../src/report/library.ts'
import { pageOf } from '../../src/report/page.ts'
import { ReportFile } from '../../src/report/report-file.ts'
import { Report } from '../../src/report/report.ts'

const scratch = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'xr-report-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}
const epoch = (at: number, n: number): AnyObservedEvent => ({ kind: 'epoch.staged', at, operation: 'o', data: { epoch: n, pages: n, bytes: 4096 * n, pauseMs: n / 7 } })
const announced = (at: number, guest: string): AnyObservedEvent => ({ kind: 'guest.announced', at, operation: 'o', data: { guest, kind: 'hvm', memoryBytes: 1 << 20 } })

describe('the page', () => {
  it('shows what guests are called as text, and runs nothing of it', () => {
    const report = new Report('a <b>title</b>')
    const evil = `</script><img src=x onerror="alert('1')">&amp;\u202e\u0000\ud800`
    report.side(evil, 0)(announced(1, evil))
    report.measure('pause', 1, 2)
    const html = pageOf(report.state, plotLibrary())
    expect(html).not.toContain('<img')
    expect(html).not.toContain('<b>title')
    expect(html).toContain('&lt;/script&gt;&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;amp;\u25a1\u25a1\u25a1')
    expect(html.match(/<\/script>/g)).toHaveLength(3)
  })

  it('cuts a name that is far too long', () => {
    const report = new Report('t')
    report.side('', 0)(announced(1, 'x'.repeat(1_000_000)))
    expect(pageOf(report.state, { script: '', style: '' }).length).toBeLessThan(50_000)
  })

  it('may load nothing and run only its own scripts', () => {
    const html = pageOf(new Report('t').state, plotLibrary())
    const policy = /Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1] ?? ''
    const hashes = [...html.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, script = '']) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`)
    expect(hashes).toHaveLength(2)
    expect(policy).toMatch(/^default-src 'none'; /)
    for (const hash of hashes) expect(policy).toContain(hash)
    expect(html.replaceAll(/<script[\s\S]*?<\/script>/g, '')).not.toMatch(/(src|href)=|url\(|@import/)
  })

  it('carries the licence of what draws its plots', () => {
    expect(pageOf(new Report('t').state, plotLibrary())).toMatch(/The MIT License \(MIT\)\s+Copyright \(c\) \d+ Leon Sorokin/)
  })

  it('stays small however long a run is', () => {
    const report = new Report('t')
    const tell = report.side('', 0)
    for (let n = 0; n < 200_000; n += 1) tell(epoch(n * 25, n % 1000))
    expect(pageOf(report.state, plotLibrary()).length).toBeLessThan(400_000)
  })
})

describe('the file of a report', () => {
  it('is there from the beginning, whole at any time, and says all when it is closed', async () => {
    const path = join(scratch(), 'a.html')
    const file = new ReportFile({ path, title: 'night', originMs: 0 })
    expect(readFileSync(path, 'utf8')).toMatch(/<!doctype html>[\s\S]*Nothing has happened yet[\s\S]*<\/html>\n$/)
    file.observe(announced(1, 'web'))
    file.observe(epoch(2, 1))
    await file.close()
    await file.close()
    file.observe(announced(3, 'tardy-guest'))
    const html = readFileSync(path, 'utf8')
    expect(html).toContain('The guest is web')
    expect(html).not.toContain('tardy-guest')
    expect(readdirSync(join(path, '..'))).toEqual(['a.html'])
  })

  it('is written anew while things go on', async () => {
    const path = join(scratch(), 'a.html')
    const file = new ReportFile({ path, title: 't', originMs: 0 })
    onTestFinished(() => file.close())
    file.observe(announced(0, 'web'))
    expect(readFileSync(path, 'utf8')).not.toContain('The guest is web')
    file.observe(epoch(10_001, 1))
    await new Promise(setImmediate)
    expect(readFileSync(path, 'utf8')).toContain('The guest is web')
  })

  it('is refused at once in a folder that is not there, or in place of a folder, and nothing is left', () => {
    const folder = scratch()
    expect(() => new ReportFile({ path: join(folder, 'no', 'a.html'), title: 't', originMs: 0 })).toThrow(expect.objectContaining({ code: 'OBSERVER_REPORT' }))
    mkdirSync(join(folder, 'd'))
    expect(() => new ReportFile({ path: join(folder, 'd'), title: 't', originMs: 0 })).toThrow(expect.objectContaining({ code: 'OBSERVER_REPORT' }))
    expect(readdirSync(folder)).toEqual(['d'])
  })

  it('says when it cannot be written in the end', async () => {
    const folder = join(scratch(), 'gone')
    mkdirSync(folder)
    const file = new ReportFile({ path: join(folder, 'a.html'), title: 't', originMs: 0 })
    rmSync(folder, { recursive: true })
    await expect(file.close()).rejects.toMatchObject({ code: 'OBSERVER_REPORT' })
  })

  it('tells what was seen when the process ends by an error that nobody caught', () => {
    const path = join(scratch(), 'a.html')
    const source = fileURLToPath(new URL('../../src/report/report-file.ts', import.meta.url)).replace('/src/', '/dist/').replace('.ts', '.js')
    const script = `import { ReportFile } from ${JSON.stringify(source)}
      const file = new ReportFile({ path: ${JSON.stringify(path)}, title: 't', originMs: 0 })
      file.observe(${JSON.stringify(announced(1, 'web'))})
      throw new Error('oh')`
    expect(spawnSync(process.execPath, ['--input-type=module', '-e', script]).status).toBe(1)
    expect(statSync(path).size).toBeGreaterThan(1000)
    expect(readFileSync(path, 'utf8')).toContain('The guest is web')
  })
})
