// Measures `xr` as its users meet it: whole processes, on images as large as guests are. `node bench/run.mjs --help` tells the options.
import { existsSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { comparisons, peaks } from './cases.mjs'
import { GIB, MIB, writeImage } from './images.mjs'
import { byTurns, median, paired, peakMiB } from './measure.mjs'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '11' },
    size: { type: 'string', default: '1024' },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
    dir: { type: 'string', default: tmpdir() },
    help: { type: 'boolean' },
  },
})
if (values.help) {
  console.log(`node bench/run.mjs [--runs 11] [--size MIB] [--only WORD] [--json FILE] [--dir FOLDER]
Images of SIZE (1024) MiB are written under FOLDER, with some room for what is made of them, and removed at the end.`)
  process.exit(0)
}

const runs = Number(values.runs)
const bytes = Number(values.size) * MIB
const dir = mkdtempSync(join(values.dir, 'xr-bench-'))
const wanted = ({ name }) => name.includes(values.only)
try {
  const free = statfsSync(dir)
  if (free.bavail * free.bsize < 4 * bytes) throw new Error(`${dir} has no room for four times ${values.size} MiB`)
  console.error(`writing images to ${dir}`)
  const names = { image: join(dir, 'guest.xl'), large: join(dir, 'large.xl'), small: join(dir, 'small.xl'), dir }
  const size = writeImage(names.image, bytes)
  writeImage(names.large, 16 * GIB, { sparse: true })
  writeImage(names.small, MIB)
  const xr = `'${process.execPath}' '${fileURLToPath(new URL('../packages/cli/bin/xr.cjs', import.meta.url))}'`
  if (!existsSync(new URL('../packages/cli/bundle/xr.cjs', import.meta.url))) throw new Error('build first: npm run build')
  const files = { ...names, size, xr, node: `'${process.execPath}'` }
  const report = { machine: machine(), runs, MiB: Number(values.size), times: timesOf(files), memory: memoryOf(files) }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, undefined, 1)}\n`)
} finally {
  rmSync(dir, { recursive: true, force: true })
}

function machine() {
  const found = { processor: cpus()[0]?.model ?? '', processors: cpus().length, GiB: Math.round(totalmem() / GIB), node: process.version, load: loadavg()[0] }
  console.log(`${found.processors} × ${found.processor}, ${found.GiB} GiB, Node ${found.node}, load ${found.load.toFixed(2)}, ${runs} runs each by turns\n`)
  return found
}

function timesOf(files) {
  const rows = comparisons(files).filter(wanted).map(({ name, commands, figure, unit, goal, ...around }) => {
    const times = byTurns(commands, runs, around)
    const medians = Object.fromEntries(Object.entries(times).map(([who, all]) => [who, median(all)]))
    const value = paired(times, figure)
    console.log(`${name}\n  ${Object.entries(medians).map(([who, ms]) => `${who} ${ms.toFixed(0)} ms`).join(', ')}`)
    console.log(`  ${figureText(value)} ${unit}${goal === undefined ? '' : `, ${goal.text}: ${goal.met(value) ? 'met' : 'missed'}`}\n`)
    return { name, medians, value, unit, ...(goal && { goal: goal.text, met: goal.met(value) }) }
  })
  return rows
}

function memoryOf(files) {
  return peaks(files).filter(wanted).map(({ name, line, most }) => {
    const MiB = peakMiB(line)
    console.log(`${name}: ${MiB.toFixed(0)} MiB at most${MiB <= most ? '' : `, more than ${most}: missed`}`)
    return { name, MiB, most, met: MiB <= most }
  })
}

function figureText(value) {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2)
}
