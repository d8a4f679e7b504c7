#!/usr/bin/env node
// Plays `xl` and the libxl below it, as far as a restore is concerned. FAKE_XL says how, FAKE_XL_LOG where it writes what it saw.
import { spawn } from 'node:child_process'
import { appendFileSync, openSync, readSync } from 'node:fs'

const how = process.env.FAKE_XL ?? 'well'
const [verb, ...args] = process.argv.slice(2)
const note = (what) => appendFileSync(process.env.FAKE_XL_LOG, `${what}\n`)
const fail = (text, status = 3) => {
  process.stderr.write(`libxl: error: ${text}\n`)
  process.exit(status)
}

note(`${verb} ${verb === 'restore' ? args.slice(0, -1).join(' ') : args.join(' ')}`)
if (verb !== 'restore') {
  if (how === 'refuse') fail(`${verb} refused`)
  if (verb === 'info') process.stdout.write('xen_version            : 4.17.6\nvirt_caps              : pv hvm hap shadow\nfree_memory            : 900\n')
  process.exit(0)
}
if (how === 'fail-early') fail('domain could not be made')

const fd = openSync(args.at(-1), 'r')
const take = (size) => {
  const bytes = Buffer.alloc(size)
  for (let at = 0; at < size; ) at += readSync(fd, bytes, at, size - at)
  return bytes
}
const head = take(48)
note(`head ${head.subarray(0, 32).toString('latin1').replace(/[\0\r\n]/g, '.')} ${[32, 36, 40].map((at) => head.readUInt32LE(at).toString(16)).join(' ')}`)
const block = take(head.readUInt32LE(44))
note(`config ${block.subarray(4, 4 + block.readUInt32LE(0)).toString().replace('\0', '$')}`)
note(`stream ${take(16).toString('hex')} record ${take(8).toString('hex')}`)

const helper = spawn(process.env.LIBXL_SAVE_HELPER, how === 'odd' ? ['--restore-domain', 'x'] : ['--restore-domain', '9', '-1', '5', '11', '0', '12', '3', '256', '0'], { stdio: ['pipe', 'pipe', 'inherit'] })
if (how === 'fail-middle') setTimeout(() => fail('out of memory'), 50)
let held = Buffer.alloc(0)
let result
helper.stdout.on('data', (bytes) => {
  held = Buffer.concat([held, bytes])
  while (held.length >= 2 && held.length >= 2 + held.readUInt16LE(0)) {
    const message = held.subarray(2, 2 + held.readUInt16LE(0))
    held = held.subarray(2 + held.readUInt16LE(0))
    const number = message.readUInt16LE(0)
    note(`message ${number} ${message.subarray(2).toString('hex')}`)
    if (number === 10) result = message.readInt32LE(2)
    if (number === 8 || number === 10) helper.stdin.write(Buffer.from(new Int32Array([number === 8 && how === 'no-policy' ? 1 : 0]).buffer))
  }
})
helper.on('close', (status) => {
  note(`helper ${status}`)
  if (result !== 0) fail('restore failed')
  for (let type = -1; type !== 0; ) {
    const front = take(8)
    type = front.readUInt32LE(0)
    const size = front.readUInt32LE(4)
    note(`record ${type} ${take(size + ((8 - (size % 8)) % 8)).subarray(0, size).toString('latin1').replaceAll('\0', '.')}`)
  }
  if (how === 'fail-late') fail('device model did not start')
  process.exit(0)
})
