import process from 'node:process'
import { fileURLToPath } from 'node:url'

/** Program and first arguments that start this `xr` once more; `bin` lies one folder up from `src`, `dist` and `bundle`. */
export function ownCommand(): readonly [program: string, ...args: string[]] {
  return [process.execPath, fileURLToPath(new URL('../bin/xr.cjs', import.meta.url))]
}
