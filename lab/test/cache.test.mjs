import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { dropOthers, fingerprint, madeOnce } from '../src/cache.mjs'
import { LabError } from '../src/lab-error.mjs'
import { runTool } from '../src/run-tool.mjs'

async function inFolder(body) {
  const dir = mkdtempSync(join(tmpdir(), 'lab-cache-'))
  try {
    await body(dir)
  } finally {
    rmSync(dir, { recursive: true })
  }
}

test('what is made is made once, and found afterwards', () =>
  inFolder(async (dir) => {
    const make = async (to) => writeFileSync(join(to, 'x'), '1')
    await madeOnce(join(dir, 'part'), make)
    const old = new Date('2020-01-01')
    utimesSync(join(dir, 'part'), old, old)
    await madeOnce(join(dir, 'part'), () => assert.fail('made again'))
    assert.ok(Date.now() - statSync(join(dir, 'part')).mtimeMs < 3600e3, 'it does not count as used')
    assert.equal(readFileSync(join(dir, 'part/x'), 'utf8'), '1')
  }))

test('two that make the same at once both get it', () =>
  inFolder(async (dir) => {
    const make = (text) => async (to) => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      writeFileSync(join(to, 'x'), text)
    }
    const [one, other] = await Promise.all([madeOnce(join(dir, 'part'), make('a')), madeOnce(join(dir, 'part'), make('b'))])
    assert.equal(one, other)
    assert.deepEqual(readdirSync(dir), ['part'])
  }))

test('nothing is left of what could not be made', () =>
  inFolder(async (dir) => {
    await assert.rejects(madeOnce(join(dir, 'part'), () => Promise.reject(new Error('no'))), /no/)
    assert.equal(existsSync(join(dir, 'part')), false)
    assert.deepEqual(readdirSync(dir), [])
  }))

test('a fingerprint changes with a file and with a word', () =>
  inFolder(async (dir) => {
    const file = join(dir, 'f')
    writeFileSync(file, 'a')
    const first = fingerprint([file], ['w'])
    assert.equal(fingerprint([file], ['w']), first)
    assert.notEqual(fingerprint([file], ['v']), first)
    writeFileSync(file, 'b')
    assert.notEqual(fingerprint([file], ['w']), first)
  }))

test('a program that fails, hangs or is not there is told with its last words and a hint', async () => {
  await assert.rejects(runTool('sh', ['-c', 'echo out; echo why >&2; exit 3'], { hint: 'do so' }), (error) => error instanceof LabError && /ended with 3\nout\nwhy/.test(error.message) && error.hint === 'do so')
  await assert.rejects(runTool('sleep', ['60'], { seconds: 0.1 }), /SIGKILL/)
  await assert.rejects(runTool('no-such-program', []), /cannot be started/)
  assert.equal(await runTool('cat', [], { input: 'in' }), 'in')
})

test('what was made for other contents goes after a week, and nothing else', () =>
  inFolder(async (dir) => {
    for (const name of ['system-aa', 'system-bb', 'system-cc', 'host-aa']) mkdirSync(join(dir, name))
    const old = Date.now() / 1000 - 8 * 24 * 3600
    for (const name of ['system-aa', 'system-bb', 'host-aa']) utimesSync(join(dir, name), old, old)
    dropOthers(join(dir, 'system-bb'))
    assert.deepEqual(readdirSync(dir).sort(), ['host-aa', 'system-bb', 'system-cc'])
  }))

test('what is in use stays, however old its contents are', () =>
  inFolder(async (dir) => {
    const old = Date.now() / 1000 - 8 * 24 * 3600
    const make = async (to) => utimesSync(to, old, old)
    for (const name of ['system-aa', 'system-bb']) await madeOnce(join(dir, name), make)
    dropOthers(join(dir, 'system-bb'))
    assert.deepEqual(readdirSync(dir).sort(), ['system-aa', 'system-bb'])
    utimesSync(join(dir, 'system-aa'), old, old)
    await madeOnce(join(dir, 'system-aa'), () => assert.fail('made again'))
    dropOthers(join(dir, 'system-bb'))
    assert.deepEqual(readdirSync(dir).sort(), ['system-aa', 'system-bb'])
  }))
