import { existsSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { isAbsolute, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Conditions of `exports` that hold here. */
const CONDITIONS: readonly string[] = ['node', 'import', 'module-sync', 'default']

/**
 * Finds the file that `import` of a package would load.
 *
 * @param name name of a package, or the path of a file.
 * @param from folder from which packages are looked for, upwards.
 * @returns URL of the file; undefined when there is none.
 */
export function resolvePackage(name: string, from: string): string | undefined {
  const path = isAbsolute(name) || /^\.\.?\//.test(name) ? resolve(from, name) : installed(name, from)
  return path === undefined || !isFile(path) ? undefined : pathToFileURL(path).href
}

function installed(name: string, from: string): string | undefined {
  const require = createRequire(join(from, 'x.js'))
  try {
    return require.resolve(name)
  } catch {
    return importOnly(name, require.resolve.paths(name) ?? []) // packages that `require` may not load
  }
}

function importOnly(name: string, folders: readonly string[]): string | undefined {
  const home = folders.map((folder) => join(folder, name)).find((folder) => existsSync(join(folder, 'package.json')))
  if (home === undefined) return undefined
  const { exports } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { readonly exports?: unknown }
  const target = targetOf(typeof exports === 'object' && exports !== null && '.' in exports ? exports['.'] : exports)
  return target === undefined ? undefined : join(home, target)
}

function targetOf(exports: unknown): string | undefined {
  if (typeof exports === 'string') return exports
  if (typeof exports !== 'object' || exports === null) return undefined
  for (const [condition, target] of Object.entries(exports)) {
    const found = CONDITIONS.includes(condition) ? targetOf(target) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true
