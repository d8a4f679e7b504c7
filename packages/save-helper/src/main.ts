import { openXenGuests } from '@xen-replication/backend-xen'
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { runProgram } from './program.ts'
import type { HelperHost } from './helper-host.ts'

async function openXen(): Promise<HelperHost> {
  const guests = openXenGuests()
  return Promise.resolve({
    openForSave: async (domId) => Promise.resolve(guests.openForSave(domId)),
    openForRestore: async (domId, rings) => Promise.resolve(guests.adoptForRestore(domId, rings)),
    close: () => guests.close(),
  })
}

/** As it stands in this package's own package.json, one folder up from `src`, `dist` and `bundle`. */
const version = (): string => (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version

void runProgram(openXen, version).then((status) => process.exit(status)) // whoever does not read the stream any more must not keep the process
