import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { bootDisk } from '../src/boot-sector.mjs'
import { initialRamDisk } from '../src/cpio.mjs'

test('the boot sector is signed, fits, and its jumps lead to the marked instructions', () => {
  const disk = bootDisk()
  assert.equal(disk.length, 1 << 20)
  assert.equal(disk.readUInt16LE(510), 0xaa55)
  const again = disk.indexOf(Buffer.from([0x75, 0xe1])) + 2, jump = disk.indexOf(Buffer.from([0xeb, 0xdd]))
  for (const target of [again + 0xe1 - 0x100, jump + 2 + 0xdd - 0x100]) assert.deepEqual([...disk.subarray(target, target + 2)], [0x66, 0x43]) // inc ebx
  assert.equal(disk.subarray(jump + 2, 510).every((byte) => byte === 0), true)
})

test('a RAM disk holds its folders, links and files, each aligned, and ends with the trailer', () => {
  const bytes = gunzipSync(initialRamDisk({ directories: ['bin'], links: { 'bin/sh': 'busybox' }, files: { init: '#!/bin/sh\n', 'bin/busybox': Buffer.from([1, 2, 3]) } }))
  const found = []
  for (let at = 0; at < bytes.length; ) {
    assert.equal(bytes.toString('latin1', at, at + 6), '070701')
    const field = (n) => Number.parseInt(bytes.toString('latin1', at + 6 + 8 * n, at + 14 + 8 * n), 16)
    const [mode, size, nameSize] = [field(1), field(6), field(11)]
    const name = bytes.toString('latin1', at + 110, at + 110 + nameSize - 1)
    const body = (at + 110 + nameSize + 3) & ~3
    found.push([name, mode.toString(8), bytes.toString('latin1', body, body + size)])
    at = (body + size + 3) & ~3
  }
  assert.deepEqual(found, [
    ['bin', '40755', ''], ['bin/sh', '120777', 'busybox'], ['init', '100755', '#!/bin/sh\n'], ['bin/busybox', '100755', '\x01\x02\x03'], ['TRAILER!!!', '0', ''],
  ])
})
