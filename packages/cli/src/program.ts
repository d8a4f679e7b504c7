import { Command } from 'commander'
import { ownVersion } from './version.ts'

/** The command tree. It throws instead of exiting; `main.ts` alone decides the exit status. */
export function createProgram(): Command {
  return new Command('xr')
    .description('read, check, write, move and replicate the state of running Xen guests')
    .version(ownVersion(), '-V, --version')
    .exitOverride()
}
