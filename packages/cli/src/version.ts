import { readFileSync } from 'node:fs'

/** The version in this package's own package.json, which lies one folder up from both `src` and `dist`. */
export function ownVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  return manifest.version
}
