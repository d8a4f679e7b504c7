import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const [OLD, NEW] = [1000, 2000]

describe('the xr that is started', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'xr-bin-'))
    mkdirSync(join(folder, 'bin'))
    copyFileSync(fileURLToPath(new URL('../bin/xr.cjs', import.meta.url)), join(folder, 'bin/xr.cjs'))
    put('package.json', '{"type":"module"}')
    put('dist/main.js', 'console.log("modules")')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  function put(name: string, text: string, seconds = OLD): void {
    const file = join(folder, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    utimesSync(file, seconds, seconds)
  }
  function bundled(seconds: number): void {
    put('bundle/xr.cjs', 'console.log("bundle")', seconds)
    put('bundle/made-from.json', '["dist/stamp","other/stamp"]', seconds)
  }
  const started = (...words: string[]): string => spawnSync(process.execPath, [join(folder, 'bin/xr.cjs'), ...words], { encoding: 'utf8' }).stdout.trim()

  it('is made of modules when there is no bundle', () => expect(started()).toBe('modules'))

  it('is the bundle in an installed package, which has no stamps', () => {
    bundled(NEW)
    expect(started()).toBe('bundle')
  })

  it('is the bundle when that was made last', () => {
    put('dist/stamp', '')
    bundled(NEW)
    expect(started()).toBe('bundle')
  })

  it('is made of modules with --debug, whose stack traces name places in them', () => {
    bundled(NEW)
    expect(started('show', '--debug')).toBe('modules')
  })

  it('is made of modules when one package was built after the bundle', () => {
    put('other/stamp', '', NEW)
    bundled(OLD)
    expect(started()).toBe('modules')
  })
})
