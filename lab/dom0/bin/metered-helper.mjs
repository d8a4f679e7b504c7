#!/usr/bin/env node
// A save helper that runs another, $METERED, and writes down how long the guest stood still at each checkpoint: from the word to suspend it to
// the answer that it was resumed. One number a line, milliseconds, in $METER_OUT.
import { spawn } from 'node:child_process'
import { appendFileSync, writeSync } from 'node:fs'
import { answered, descriptors, message, onAnswers, onMessages, stdioWith } from '../helper-protocol.mjs'

const args = process.argv.slice(2)
const inherited = Object.fromEntries(descriptors(args).map((fd) => [fd, fd]))
const child = spawn(process.env.METERED, args, { stdio: stdioWith({ 0: 'pipe', 1: 'pipe', 2: 'inherit', ...inherited }) })
const waiting = []
let suspendedAt
onMessages(child.stdout, (number, frame) => {
  if (number === message.suspend) suspendedAt = performance.now()
  if (answered(number)) waiting.push(number)
  writeSync(1, frame)
})
onAnswers(process.stdin, (value, bytes) => {
  const pause = performance.now() - suspendedAt
  child.stdin.write(bytes)
  if (waiting.shift() === message.postcopy) appendFileSync(process.env.METER_OUT, `${pause.toFixed(2)}\n`)
})
process.on('SIGTERM', () => child.kill('SIGTERM'))
child.on('close', (code, signal) => (signal === null ? process.exit(code) : process.kill(process.pid, signal)))
