// Puts the built `xr` and all it needs of this workspace into a few files, packages/cli/bundle: that many modules take longer to find,
// read and link than most commands take to run. `bin/` starts it unless something was built afterwards.
import { rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { rolldown } from 'rolldown'

const cli = join(import.meta.dirname, '../packages/cli')
const out = join(cli, 'bundle')
/** Other packages from outside stay where npm puts them: some have native parts. */
const taken = /^(?:@xen-replication\/|commander$)/

const bundle = await rolldown({
  input: { xr: join(cli, 'dist/main.js'), 'simulate-worker': join(cli, '../simulate/dist/jobs/worker.js') },
  platform: 'node',
  external: (id) => !/^[./]/.test(id) && !taken.test(id),
})
rmSync(out, { recursive: true, force: true })
const { output } = await bundle.write({
  dir: out,
  format: 'cjs', // starts sooner than an ES module
  minify: true, // half the text to read; with --debug, when names matter, bin/ starts the modules
  entryFileNames: '[name].cjs',
  chunkFileNames: '[name].cjs',
})

// The newest of what it was made of tells whether it is still fresh: tsc leaves a stamp in each package.
const modules = output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []))
const stamps = modules.filter((id) => id.startsWith('/') && !id.includes('node_modules')).map((id) => id.replace(/\/dist\/.*/, '/dist/tsconfig.lib.tsbuildinfo'))
const madeFrom = [...new Set(stamps)].map((file) => relative(cli, file)).sort()
writeFileSync(join(out, 'made-from.json'), JSON.stringify(madeFrom))
