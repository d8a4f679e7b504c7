// Where the lab keeps what it fetched and built: nothing is written outside of it but the results.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

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
  if (existsSync(dir)) return dir
  mkdirSync(join(dir, '..'), { recursive: true })
  const draft = mkdtempSync(`${dir}.making-`)
  try {
    await make(draft)
    try {
      renameSync(draft, dir)
    } catch (error) {
      if (!existsSync(dir)) throw error
    }
    return dir
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}
