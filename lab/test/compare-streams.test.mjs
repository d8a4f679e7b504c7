import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { differences, unexplained } from '../dom0/compare-streams.mjs'

const record = (type, body) => {
  const head = Buffer.alloc(8)
  head.writeUInt32LE(type, 0)
  head.writeUInt32LE(body.length, 4)
  return Buffer.concat([head, body, Buffer.alloc((8 - (body.length % 8)) % 8)])
}
const part = (type, body) => {
  const head = Buffer.alloc(8)
  head.writeUInt16LE(type, 0)
  head.writeUInt32LE(body.length, 4)
  return Buffer.concat([head, body])
}
const stream = (...records) => Buffer.concat([Buffer.alloc(40, 1), ...records])
const changed = (body, at) => {
  const copy = Buffer.from(body)
  copy[at] ^= 0xff
  return copy
}

function compare(one, other) {
  const dir = mkdtempSync(join(tmpdir(), 'lab-compare-'))
  try {
    writeFileSync(join(dir, 'a'), one)
    writeFileSync(join(dir, 'b'), other)
    return differences(join(dir, 'a'), join(dir, 'b'))
  } finally {
    rmSync(dir, { recursive: true })
  }
}

const tsc = Buffer.alloc(24), cpu = Buffer.alloc(1024), page = Buffer.alloc(4096)

test('the same bytes have no differences', () => {
  assert.deepEqual(compare(stream(record(1, page)), stream(record(1, page))), [])
})

test('elapsed time in X86_TSC_INFO and in the context of a CPU is explained', () => {
  const one = stream(record(8, tsc), record(9, part(2, cpu)))
  const other = stream(record(8, changed(tsc, 9)), record(9, part(2, changed(cpu, 1010))))
  const found = compare(one, other)
  assert.deepEqual(found, ['record 0 type 8 byte 9..9 (24 against 24 bytes)', 'HVM context record 2.0 byte 1010..1010'])
  assert.deepEqual(unexplained(found), [])
})

test('another mode in X86_TSC_INFO, another register, another page are not', () => {
  const one = stream(record(8, tsc), record(9, part(2, cpu)), record(1, page))
  const other = stream(record(8, changed(tsc, 0)), record(9, part(2, changed(cpu, 700))), record(1, changed(page, 100)))
  assert.equal(unexplained(compare(one, other)).length, 3)
})

test('a difference that reaches beyond the clock is not explained', () => {
  const wide = changed(changed(tsc, 12), 17)
  assert.equal(unexplained(compare(stream(record(8, tsc)), stream(record(8, wide)))).length, 1)
})

test('another order, number or size of records, and other headers are told', () => {
  assert.match(compare(stream(record(1, page)), stream(record(8, tsc)))[0], /type 1 against 8/)
  assert.match(compare(stream(record(8, tsc)), stream(record(8, tsc), record(8, tsc)))[0], /1 records against 2/)
  assert.match(compare(stream(record(8, tsc)), stream(record(8, Buffer.alloc(32))))[0], /24 against 32 bytes/)
  assert.match(compare(stream(), changed(stream(), 30))[0], /headers byte 30/)
})
