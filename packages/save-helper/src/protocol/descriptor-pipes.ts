import { readSync, writeSync } from 'node:fs'
import { patiently } from '../io/patiently.ts'
import type { LibxlPipes } from './libxl.ts'

const [STDIN, STDOUT] = [0, 1]

/**
 * Standard input and output as libxl sets them up: pipes whose reads and writes wait.
 *
 * A reply is waited for in the system and not in the event loop: nothing else goes on meanwhile, and a guest that stands suspended does not
 * wait for a thread to wake up.
 */
export function standardPipes(): LibxlPipes {
  return {
    send: (message) => {
      for (let at = 0; at < message.length; ) at += patiently(() => writeSync(STDOUT, message, at))
    },
    receive: (size) => {
      const bytes = new Uint8Array(size)
      for (let at = 0; at < size; ) {
        const got = patiently(() => readSync(STDIN, bytes, at, size - at, null))
        if (got === 0) return undefined
        at += got
      }
      return bytes
    },
  }
}
