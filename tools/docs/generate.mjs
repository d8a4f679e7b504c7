// Brings the generated documents up to date: docs/errors.md whole, and the console sessions in all documents.
//
//   node tools/docs/generate.mjs           writes what changed
//
// Build first. packages/cli/test/docs-*.test.ts compare with what this would write.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { withFreshSessions } from './console.mjs'
import { errorsPage } from './errors-page.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
export const ERRORS_PAGE = 'docs/errors.md'

/** Every document written for people, by its path from the root: README.md of the root, of packages and examples, and docs/. */
export function documents() {
  const under = (folder, wanted) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && wanted(entry.name) && !/[\\/](node_modules|dist)\b/.test(entry.parentPath))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)))
  const packages = readdirSync(join(root, 'packages')).map((name) => `packages/${name}/README.md`)
  const readmes = ['README.md', ...packages.filter((path) => existsSync(join(root, path)))]
  return [...readmes, ...under('examples', (name) => name === 'README.md'), ...under('docs', (name) => name.endsWith('.md'))].sort()
}

export const textOf = (path) => readFileSync(join(root, path), 'utf8')

/** What the document should hold now. */
export async function freshTextOf(path) {
  return path === ERRORS_PAGE ? errorsPage() : withFreshSessions(textOf(path))
}

async function main() {
  if (!existsSync(join(root, ERRORS_PAGE))) writeFileSync(join(root, ERRORS_PAGE), '')
  for (const path of documents()) {
    const fresh = await freshTextOf(path)
    if (fresh === textOf(path)) continue
    writeFileSync(join(root, path), fresh)
    console.log(`wrote ${path}`)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
