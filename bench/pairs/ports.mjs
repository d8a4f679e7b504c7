// Ports of TCP on this machine.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'

const LISTEN = '0A'

/** A port that nobody has at the moment. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** Whether somebody listens there; nobody is dialled to find out, as whoever waits takes one peer only. */
export function isListening(port) {
  const hex = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return readFileSync('/proc/net/tcp', 'utf8').split('\n').some((line) => {
    const [, local, , state] = line.trim().split(/\s+/)
    return state === LISTEN && local?.endsWith(hex)
  })
}
