// The guard of a process that reads a guest: waits at standard input for the end of it, and undoes what it left. main.js DOMID
import { readSync } from 'node:fs'
import process from 'node:process'
import { openPlatform } from '../native/open-platform.ts'
import { relieve } from './relieve.ts'

/** What ends the one that is guarded is not meant for the guard. */
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => undefined)

/** Each thing that is said takes the place of the one before; a digit. */
function lastSaid(): number {
  const bytes = new Uint8Array(64)
  let duties = 0
  for (let size = readSync(0, bytes); size > 0; size = readSync(0, bytes)) duties = (bytes[size - 1] as number) - '0'.charCodeAt(0)
  return duties
}

const duties = lastSaid()
if (duties !== 0) {
  const platform = openPlatform()
  void relieve(platform, Number(process.argv[2]), duties).finally(() => platform.close())
}
