// Measures `xr` as its users meet it: whole processes, on images as large as guests are. `node bench/run.mjs --help` tells the options.
import { existsSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { comparisons, peaks } from './cases.mjs'
import { guestComparisons, guestPeaks, missing, pauses, prepareGuests } from './guest-cases.mjs'
import { GIB, MIB, writeImage } from './images.mjs'
import { byTurns, median, paired, peakMiB } from './measure.mjs'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '11' },
    size: { type: 'string', default: '1024' },
    part: { type: 'string', default: 'all' },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
    cli: { type: 'string', default: fileURLToPath(new URL('../packages/cli', import.meta.url)) },
    dir: { type: 'string', default: tmpdir() },
    help: { type: 'boolean' },
  },
})
if (values.help) {
  console.log(`node bench/run.mjs [--runs 11] [--size MIB] [--part images|guests] [--only WORD] [--json FILE] [--dir FOLDER] [--cli FOLDER]
Images of SIZE (1024) MiB are written under FOLDER, with some room for what is made of them, and removed at the end. CLI is the package that is
measured, packages/cli unless another one is named.`)
  process.exit(0)
}

const runs = Number(values.runs)
const bytes = Number(values.size) * MIB
const dir = mkdtempSync(join(values.dir, 'xr-bench-'))
const wanted = ({ name }) => name.includes(values.only)
try {
  const free = statfsSync(dir)
  if (free.bavail * free.bsize < 4 * bytes) throw new Error(`${dir} has no room for four times ${values.size} MiB`)
  const xr = `'${process.execPath}' '${join(values.cli, 'bin/xr.cjs')}'`
  if (!existsSync(join(values.cli, 'bundle/xr.cjs'))) throw new Error('build first: npm run build')
  const report = { machine: machine(), runs, MiB: Number(values.size), ...(values.part === 'guests' ? {} : imageFigures(xr)), ...(values.part === 'images' ? {} : guestFigures(xr)) }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, undefined, 1)}\n`)
} finally {
  rmSync(dir, { recursive: true, force: true })
}

function imageFigures(xr) {
  console.error(`writing images to ${dir}`)
  const names = { image: join(dir, 'guest.xl'), large: join(dir, 'large.xl'), small: join(dir, 'small.xl'), dir }
  const size = writeImage(names.image, bytes)
  writeImage(names.large, 16 * GIB, { sparse: true })
  writeImage(names.small, MIB)
  const files = { ...names, size, xr, node: `'${process.execPath}'` }
  return { times: timesOf(comparisons(files)), memory: memoryOf(peaks(files)) }
}

function guestFigures(xr) {
  console.error(`making a guest in ${dir}`)
  const files = prepareGuests({ xr, dir, bytes })
  return { guestTimes: timesOf(guestComparisons(files)), guestMemory: memoryOf(guestPeaks(files)), pauses: pausesOf() }
}

function pausesOf() {
  if (!'guest: pause'.includes(values.only) && !values.only.includes('pause')) return []
  return pauses(runs).map((row) => {
    const { name, p50, p99, max, workedP50, workedP99, floorMs, dirty, epochs, goal, met } = row
    console.log(`${name}: ${epochs} of about ${dirty} pages, p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)}, longest ${max.toFixed(2)}; processor ${workedP50?.toFixed(2)} and ${workedP99?.toFixed(2)}; ` +
      `a plain copy of as many pages ${floorMs?.toFixed(2)}; ${goal}: ${met ? 'met' : 'missed'}`)
    return row
  })
}

function machine() {
  const found = { processor: cpus()[0]?.model ?? '', processors: cpus().length, GiB: Math.round(totalmem() / GIB), node: process.version, load: loadavg()[0] }
  console.log(`${found.processors} × ${found.processor}, ${found.GiB} GiB, Node ${found.node}, load ${found.load.toFixed(2)}, ${runs} runs each by turns\n`)
  return found
}

function timesOf(cases) {
  const rows = cases.filter(wanted).map(({ name, commands, figure, unit, goal, also, needs, ...around }) => {
    const why = missing({ needs })
    if (why !== undefined) {
      console.log(`${name}\n  left out: ${why}\n`)
      return { name, leftOut: why }
    }
    const times = byTurns(commands, runs, around)
    const medians = Object.fromEntries(Object.entries(times).map(([who, all]) => [who, median(all)]))
    const value = paired(times, figure)
    console.log(`${name}\n  ${Object.entries(medians).map(([who, ms]) => `${who} ${ms.toFixed(0)} ms`).join(', ')}`)
    console.log(`  ${figureText(value)} ${unit}${goal === undefined ? '' : `, ${goal.text}: ${goal.met(value) ? 'met' : 'missed'}`}`)
    if (also !== undefined) console.log(`  ${figureText(paired(times, also.figure))} ${also.unit}`)
    console.log('')
    return { name, ...(also && { also: paired(times, also.figure) }), medians, value, unit, ...(goal && { goal: goal.text, met: goal.met(value) }) }
  })
  return rows
}

function memoryOf(cases) {
  return cases.filter(wanted).map(({ name, line, most }) => {
    const MiB = peakMiB(line)
    console.log(`${name}: ${MiB.toFixed(0)} MiB at most${MiB <= most ? '' : `, more than ${most}: missed`}`)
    return { name, MiB, most, met: MiB <= most }
  })
}

function figureText(value) {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2)
}
