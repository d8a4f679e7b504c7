import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { checksOf, table, tables } from '../src/outcome.mjs'

test('a scenario that came to its plan with every check holding is complete', () => {
  const log = 'ok 1 - one # 2.0 s\n# a remark\nok 2 - two # SKIP not here\n1..2\n'
  assert.deepEqual(checksOf(log), { passed: 1, skipped: 1, failed: [], complete: true })
})

test('a check that does not hold is told by number and title', () => {
  assert.deepEqual(checksOf('ok 1 - one # 1 s\nnot ok 2 - two\n# why\n1..2\n').failed, ['2 - two'])
})

test('without a plan, or with another count than planned, a scenario is not complete', () => {
  assert.equal(checksOf('ok 1 - one # 1 s\n').complete, false)
  assert.equal(checksOf('ok 1 - one # 1 s\n1..2\n').complete, false)
  assert.equal(checksOf('ok 2 - two # 1 s\n1..1\n').complete, false)
  assert.equal(checksOf('').complete, false)
})

test('rows become columns, numbers to the right', () => {
  assert.equal(table([{ what: 'save', s: '1.5' }, { what: 'restore', s: '12.0', note: 'x' }]), 'what     s     note\nsave      1.5\nrestore  12.0  x')
})

test('each table of a scenario is printed under its name, and none when there is none', () => {
  const out = mkdtempSync(join(tmpdir(), 'lab-outcome-'))
  try {
    assert.equal(tables(out), '')
    writeFileSync(join(out, 'rows.jsonl'), '{"table":"a","cells":{"x":"1"}}\n{"table":"b","cells":{"y":"2"}}\n{"table":"a","cells":{"x":"3"}}\n')
    assert.equal(tables(out), 'a\nx\n1\n3\n\nb\ny\n2\n')
  } finally {
    rmSync(out, { recursive: true })
  }
})
