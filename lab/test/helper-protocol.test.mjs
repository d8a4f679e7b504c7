import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { answered, descriptors, message, onAnswers, onMessages, stdioWith } from '../dom0/helper-protocol.mjs'

test('messages are told one by one, however they were cut', async () => {
  const bytes = Buffer.from([2, 0, message.suspend, 0, 10, 0, message.complete, 0, 1, 0, 0, 0, 5, 0, 0, 0]), seen = []
  const stream = new PassThrough()
  onMessages(stream, (number, frame) => seen.push([number, frame.length]))
  for (const byte of bytes) stream.write(Buffer.from([byte]))
  stream.end()
  await new Promise((resolve) => stream.on('end', resolve))
  assert.deepEqual(seen, [[message.suspend, 4], [message.complete, 12]])
})

test('answers are numbers of four bytes', async () => {
  const stream = new PassThrough(), seen = []
  onAnswers(stream, (value) => seen.push(value))
  stream.end(Buffer.from([1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]))
  await new Promise((resolve) => stream.on('end', resolve))
  assert.deepEqual(seen, [1, -1])
})

test('log, progress and results are not answered', () => {
  assert.deepEqual(Object.entries(message).filter(([, number]) => !answered(number)).map(([name]) => name), ['log', 'progress', 'restoreResults'])
})

test('a helper inherits the descriptors that its arguments name', () => {
  assert.deepEqual(descriptors(['--save-domain', '5', '-1', '3']), [5])
  assert.deepEqual(stdioWith({ 0: 'pipe', 1: 'pipe', 4: 4 }), ['pipe', 'pipe', 'ignore', 'ignore', 4])
})
