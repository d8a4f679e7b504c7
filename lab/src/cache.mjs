// Where the lab keeps what it fetched and built: nothing is written outside of it but the results.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'

/** The lab's cache: `$XR_LAB_CACHE`, else `$XDG_CACHE_HOME/xr-lab`, else `~/.cache/xr-lab`. */
export const cacheDir = () => process.env.XR_LAB_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'xr-lab')

/**
 * A short name for these files and words: it changes when any of them does.
 *
 * @param {readonly string[]} files whose contents count @param {readonly string[]} words that count as they are
 */
export function fingerprint(files, words = []) {
  const hash = createHash('sha256')
  for (const file of files) hash.update(readFileSync(file)).update('\0')
  for (const word of words) hash.update(word).update('\0')
  return hash.digest('hex').slice(0, 16)
}

/**
 * A folder made once: `make` fills a folder beside it, which takes its name when all is there. Two labs that make the same one at the same
 * time both succeed.
 *
 * @param {string} dir @param {(empty: string) => Promise<void>} make
 */
export async function madeOnce(dir, make) {
  if (existsSync(dir)) return used(dir)
  mkdirSync(join(dir, '..'), { recursive: true })
  const draft = mkdtempSync(`${dir}.making-`)
  try {
    await make(draft)
    try {
      renameSync(draft, dir)
    } catch (error) {
      if (!existsSync(dir)) throw error
    }
    return used(dir)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

/** Notes that a folder is in use now: what unpacks packages gives it the date that they were made. */
function used(dir) {
  utimesSync(dir, new Date(), new Date())
  return dir
}

const weekMs = 7 * 24 * 3600e3

/** Removes what was made for other contents than `dir` and not used for a week: `system-A` makes way when there is a `system-B`. */
export function dropOthers(dir) {
  const kind = basename(dir).replace(/-[0-9a-f]+$/, '-')
  const others = readdirSync(dirname(dir)).filter((name) => name.startsWith(kind) && name !== basename(dir)).map((name) => join(dirname(dir), name))
  for (const other of others) if (Date.now() - statSync(other).mtimeMs > weekMs) rmSync(other, { recursive: true, force: true })
}
