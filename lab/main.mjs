// npm run lab -- …: real Xen in an emulated machine. See README.md.
import { existsSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { LabError } from './src/lab-error.mjs'
import { runJob } from './src/job.mjs'
import { checksOf, tables } from './src/outcome.mjs'
import { runTool } from './src/run-tool.mjs'
import { shadowXen } from './src/shadow-xen.mjs'
import { hypervisorPackage } from './src/system.mjs'
import { workspaceDir } from './src/workspace.mjs'

const scenarios = JSON.parse(readFileSync(join(import.meta.dirname, 'scenarios.json'), 'utf8'))
const usage = `npm run lab -- SCENARIO               boot Xen, make its checks, print its tables; the exit code tells whether all hold
npm run lab -- run SCRIPT [WORDS…]    run a .sh or .mjs file in dom0 and collect /scratch/out

scenarios:
${Object.entries(scenarios).map(([name, { does }]) => `  ${name.padEnd(10)} ${does}`).join('\n')}

options: --in PATH (repeatable; its contents go into /scratch/in)  --out DIR  --seconds N  --memory MIB  --dom0 MIB  --vcpus N  --shadow  --no-build`

const options = {
  in: { type: 'string', multiple: true }, out: { type: 'string' }, seconds: { type: 'string' }, memory: { type: 'string' }, dom0: { type: 'string' }, vcpus: { type: 'string' }, shadow: { type: 'boolean' },
  'no-build': { type: 'boolean' }, help: { type: 'boolean', short: 'h' },
}

const say = (line) => process.stderr.write(`lab: ${line}\n`)

function wholeNumber(name, text, otherwise) {
  if (text === undefined) return otherwise
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new LabError(`--${name} ${text} is not a whole number`, usage)
  return Number(text)
}

/** What the words ask for: a scenario, or a script of the user's. */
function jobFor([what, ...words]) {
  if (what !== 'run') {
    if (!Object.hasOwn(scenarios, what)) throw new LabError(`no scenario is called ${what}`, usage)
    return { name: what, command: ['node', `/opt/xr/lab/dom0/scenarios/${what}.mjs`, ...words], files: [], ...scenarios[what] }
  }
  const [script, ...rest] = words
  if (script === undefined || !existsSync(script)) throw new LabError(`there is no script ${script ?? ''}`, usage)
  return { name: what, command: [/\.m?js$/.test(script) ? 'node' : 'bash', `/scratch/in/${basename(script)}`, ...rest], files: [resolve(script)] }
}

async function main() {
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  if (values.help || positionals.length === 0) {
    console.log(usage)
    return values.help ? 0 : 2
  }
  const job = jobFor(positionals)
  const size = {
    seconds: wholeNumber('seconds', values.seconds, job.seconds ?? 600), memoryMiB: wholeNumber('memory', values.memory, 2560),
    dom0MiB: wholeNumber('dom0', values.dom0, 1280), vcpus: wholeNumber('vcpus', values.vcpus, 1),
  }
  if (!values['no-build']) {
    say('building the workspace')
    await runTool('npx', ['nx', 'run-many', '-t', 'build', 'bundle', '--skipSync'], { cwd: workspaceDir, hint: 'make npm run build pass, or give --no-build' })
  }
  const interrupted = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(name, () => interrupted.abort())
  process.stdout.on('error', () => interrupted.abort()) // whoever read it is gone
  const xen = (values.shadow ?? job.shadow) === true ? await shadowXen(hypervisorPackage, say) : undefined
  const out = resolve(values.out ?? join(import.meta.dirname, 'out', job.name))
  const result = await runJob({
    ...size, command: job.command, input: [...(values.in ?? []), ...job.files], out, xen, say, onLine: (line) => console.log(line), signal: interrupted.signal,
  })
  const held = job.name === 'run' || report(join(out, 'job.log'), out)
  const passed = held && result.ended === 'powered off' && result.status === 0
  say(`${result.ended} after ${result.seconds.toFixed(0)} s, ${passed ? 'passed' : `failed (status ${result.status})`}; results in ${out}`)
  return passed ? 0 : job.name === 'run' && result.status !== 0 ? result.status : 1
}

/** Prints what a scenario came to. @returns {boolean} whether every check was made and holds */
function report(log, out) {
  const { passed, failed, skipped, complete } = checksOf(existsSync(log) ? readFileSync(log, 'utf8') : '')
  console.log(`\n${tables(out)}\n${passed} checks hold, ${failed.length} do not, ${skipped} skipped${complete ? '' : '; the scenario did not come to its end'}`)
  for (const check of failed) console.log(`not ok ${check}`)
  return complete && failed.length === 0 && passed > 0
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof LabError)) throw error
  process.stderr.write(`lab: ${error.message}\nhint: ${error.hint}\n`)
  process.exitCode = 1
}
