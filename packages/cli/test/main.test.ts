import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

// Runs the built command, as a user would; the test task builds first.
const bin = fileURLToPath(new URL('../bin/xr.js', import.meta.url))
const xr = (...args: string[]) => spawnSync(process.execPath, [bin, ...args], { encoding: 'utf8' })
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

describe('the xr command', () => {
  it('prints its version', () => {
    expect(xr('--version')).toMatchObject({ status: 0, stdout: `${manifest.version}\n`, stderr: '' })
  })

  it('answers an unknown option with status 2 and nothing on stdout', () => {
    expect(xr('--no-such-option')).toMatchObject({ status: 2, stdout: '' })
  })
})
