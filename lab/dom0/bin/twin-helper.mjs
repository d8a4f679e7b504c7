#!/usr/bin/env node
// A save helper that runs several, one after the other, on the same suspended guest. libxl speaks with the first, $TWINS' first word; the
// others are told what libxl told the first. Their streams are $TWIN_OUT.0, .1, …; libxl gets the first.
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { answered, descriptors, message, onAnswers, onMessages, stdioWith } from '../helper-protocol.mjs'

const args = process.argv.slice(2)
const [stream] = descriptors(args)
const [first, ...others] = process.env.TWINS.split(' ')
const told = new Map()

/** Starts a helper whose stream is a file. */
function startHelper(program, at) {
  const file = openSync(`${process.env.TWIN_OUT}.${at}`, 'w')
  const child = spawn(program, args, { stdio: stdioWith({ 0: 'pipe', 1: 'pipe', 2: 'inherit', [stream]: file }) })
  closeSync(file)
  const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signal)))
  return { child, ended }
}

/** Runs a helper to its end without libxl: the guest is suspended already, and libxl's answers are known. */
async function replay(program, at) {
  const { child, ended } = startHelper(program, at)
  let completed
  onMessages(child.stdout, (number, frame) => {
    if (number === message.complete) completed = [frame.readInt32LE(4), frame.readInt32LE(8)]
    if (!answered(number)) return
    const answer = Buffer.alloc(4)
    answer.writeInt32LE(number === message.complete ? 0 : (told.get(number) ?? 0))
    child.stdin.write(answer)
  })
  const status = await ended
  writeFileSync(`${process.env.TWIN_OUT}.${at}.json`, JSON.stringify({ program, status, completed }))
}

const leading = startHelper(first, 0)
const waiting = []
onMessages(leading.child.stdout, (number, frame) => {
  if (number === message.complete) return void finish(Buffer.from(frame))
  if (answered(number)) waiting.push(number)
  writeSync(1, frame)
})
onAnswers(process.stdin, (value, bytes) => {
  told.set(waiting.shift(), value)
  leading.child.stdin.write(bytes)
})

/** The first has said that it is done: the others' turn, then libxl hears of it. */
async function finish(frame) {
  for (const [at, program] of others.entries()) await replay(program, at + 1)
  const bytes = readFileSync(`${process.env.TWIN_OUT}.0`)
  for (let at = 0; at < bytes.length; ) at += writeSync(stream, bytes, at)
  waiting.push(message.complete)
  writeSync(1, frame)
  process.exit((await leading.ended) === 0 ? 0 : 1)
}
