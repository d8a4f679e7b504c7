// Puts a built command and all it needs of this workspace into a few files, `bundle/` of its package: that many modules take longer to find,
// read and link than most commands take to run. `bin/` starts it unless something was built afterwards.
import { rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { rolldown } from 'rolldown'

/** Other packages from outside stay where npm puts them: some have native parts. */
const taken = /^(?:@xen-replication\/|commander$)/

/**
 * @param {string} name folder of the package below `packages` that gets the bundle
 * @param {Readonly<Record<string, string>>} entries what its files are called, and the built module below `packages` that each begins with
 */
export async function bundleCommand(name, entries) {
  const home = join(import.meta.dirname, '../packages', name)
  const out = join(home, 'bundle')
  const bundle = await rolldown({
    input: Object.fromEntries(Object.entries(entries).map(([file, module]) => [file, join(home, '..', module)])),
    platform: 'node',
    external: (id) => !/^[./]/.test(id) && !taken.test(id),
  })
  rmSync(out, { recursive: true, force: true })
  const { output } = await bundle.write({
    dir: out,
    format: 'cjs', // starts sooner than an ES module
    minify: true, // half the text to read; where names matter, bin/ starts the modules
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name].cjs',
  })

  // The newest of what it was made of tells whether it is still fresh: tsc leaves a stamp in each package.
  const modules = output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []))
  const stamps = modules.filter((id) => id.startsWith('/') && !id.includes('node_modules')).map((id) => id.replace(/\/dist\/.*/, '/dist/tsconfig.lib.tsbuildinfo'))
  const madeFrom = [...new Set(stamps)].map((file) => relative(home, file)).sort()
  writeFileSync(join(out, 'made-from.json'), JSON.stringify(madeFrom))
}
