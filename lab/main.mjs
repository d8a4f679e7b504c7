// npm run lab -- …: real Xen in an emulated machine. See README.md.
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { LabError } from './src/lab-error.mjs'
import { runJob } from './src/job.mjs'
import { runTool } from './src/run-tool.mjs'
import { workspaceDir } from './src/workspace.mjs'

const usage = `npm run lab -- run SCRIPT [WORDS…]   run a .sh or .mjs file in dom0 and collect /scratch/out
options: --in DIR (becomes /scratch/in)  --out DIR  --seconds N (600)  --memory MIB (2560)  --dom0 MIB (1280)  --no-build`

const options = {
  in: { type: 'string' }, out: { type: 'string' }, seconds: { type: 'string' }, memory: { type: 'string' }, dom0: { type: 'string' },
  xen: { type: 'string' }, 'no-build': { type: 'boolean' }, help: { type: 'boolean', short: 'h' },
}

const say = (line) => process.stderr.write(`lab: ${line}\n`)
const number = (text, otherwise) => (text === undefined ? otherwise : Number(text))

async function main() {
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  const [what, ...rest] = positionals
  if (values.help || what === undefined) return console.log(usage), what === undefined ? 2 : 0
  if (what !== 'run' || rest[0] === undefined) throw new LabError(`no scenario is called ${what}`, usage)
  if (!values['no-build']) {
    say('building the workspace')
    await runTool('npx', ['nx', 'run-many', '-t', 'build', 'bundle'], { cwd: workspaceDir, hint: 'make npm run build pass, or give --no-build' })
  }
  const interrupted = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(name, () => interrupted.abort())
  const script = resolve(rest[0])
  const out = resolve(values.out ?? join(import.meta.dirname, 'out/run'))
  const { status, ended, seconds } = await runJob({
    script, words: rest.slice(1), input: values.in, out, seconds: number(values.seconds, 600), memoryMiB: number(values.memory, 2560),
    dom0MiB: number(values.dom0, 1280), xen: values.xen, say, onLine: (line) => console.log(line), signal: interrupted.signal,
  })
  say(`${ended} after ${seconds.toFixed(1)} s, status ${status}; results in ${out}`)
  return ended === 'powered off' ? status : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof LabError)) throw error
  process.stderr.write(`lab: ${error.message}\nhint: ${error.hint}\n`)
  process.exitCode = 1
}
