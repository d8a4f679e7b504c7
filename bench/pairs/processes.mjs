// Child processes, none of which outlives this one.
import { spawn } from 'node:child_process'

const running = new Set()

export function started(...args) {
  const child = spawn(...args)
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

/** Kills all that runs. */
export function endAll() {
  for (const child of running) child.kill('SIGKILL')
}
