// What is measured, against what, and what was aimed at.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { GIB } from './images.mjs'
import { shell } from './measure.mjs'

const atMost = (limit, text) => ({ text: `at most ${text ?? limit}`, met: (value) => value <= limit })
const atLeast = (limit, text) => ({ text: `at least ${text ?? limit}`, met: (value) => value >= limit })
const GIB_PER_S = 'GiB/s'

/** Each has shell lines by name, and a figure that is made of the times, in ms, of one round. */
export function comparisons({ image, large, small, dir, size, xr, node }) {
  const out = join(dir, 'out')
  const away = () => rmSync(out, { force: true })
  const forget = () => shell(`dd if='${image}' iflag=nocache count=0 status=none`)
  const rate = ({ xr: ms }) => size / GIB / (ms / 1000)
  const above = (reference) => (times) => (times.xr - times.node) / times[reference]
  const bare = `${node} -e 0`
  const writing = (name, line) => ({ name, commands: { xr: line }, figure: rate, unit: GIB_PER_S, after: away })
  return [
    { name: 'start: xr verify of a small image', commands: { node: bare, xr: `${xr} verify '${small}'` }, figure: (ms) => ms.xr - ms.node, unit: 'ms above Node' },
    {
      name: 'verify: structure of a file in memory',
      commands: { node: bare, dd: `dd if='${image}' of=/dev/null bs=4M`, xr: `${xr} verify '${image}'` },
      figure: above('dd'), unit: 'of the time of dd, above Node', goal: atMost(0.25),
    },
    {
      name: 'verify: structure of a file on disk',
      commands: { node: bare, dd: `dd if='${image}' of=/dev/null bs=4M`, xr: `${xr} verify '${image}'` },
      figure: above('dd'), unit: 'of the time of dd, above Node', goal: atMost(0.25), before: forget,
    },
    {
      name: 'verify: structure from a pipe',
      commands: { cat: `cat '${image}' | cat > /dev/null`, xr: `cat '${image}' | ${xr} verify -` },
      figure: (ms) => ms.cat / ms.xr, unit: 'of the speed of cat', goal: atLeast(0.7),
    },
    { name: 'verify --data', commands: { xr: `${xr} verify --data '${image}'` }, figure: rate, unit: GIB_PER_S, goal: atLeast(1.5) },
    { name: 'verify --data from a pipe', commands: { xr: `cat '${image}' | ${xr} verify --data -` }, figure: rate, unit: GIB_PER_S },
    { name: 'show: 16 GiB of guest memory', commands: { node: bare, xr: `${xr} show '${large}'` }, figure: (ms) => ms.xr - ms.node, unit: 'ms above Node', goal: atMost(150) },
    { name: 'records', commands: { xr: `${xr} records '${image}'` }, figure: (ms) => ms.xr, unit: 'ms' },
    { name: 'diff with itself', commands: { xr: `${xr} diff '${image}' '${image}'` }, figure: rate, unit: GIB_PER_S },
    writing('decode', `${xr} decode '${image}' > '${out}'`),
    writing('decode and encode', `${xr} decode '${image}' | ${xr} encode - > '${out}'`),
    writing('convert to libxc-v3', `${xr} convert '${image}' '${out}' --to libxc-v3`),
    writing('extract --memory', `${xr} extract '${image}' '${out}' --memory`),
    writing('extract --core', `${xr} extract '${image}' '${out}' --core`),
    writing('repair', `${xr} repair '${image}' '${out}'`),
  ]
}

const MOST_MIB = 128

/** Largest process of each command. */
export function peaks({ image, large, dir, xr }) {
  const out = join(dir, 'out')
  const of = (name, line) => ({ name: `memory: ${name}`, line, most: MOST_MIB })
  return [
    of('verify', `${xr} verify '${image}'`),
    of('verify --data', `${xr} verify --data '${image}'`),
    of('verify from a pipe', `cat '${image}' | ${xr} verify -`),
    of('verify of 16 GiB from a pipe', `cat '${large}' | ${xr} verify -`),
    of('show of 16 GiB', `${xr} show '${large}'`),
    of('decode', `${xr} decode '${image}' > /dev/null`),
    of('decode and encode', `${xr} decode '${image}' | ${xr} encode - > /dev/null`),
    of('convert', `${xr} convert '${image}' '${out}' --to libxc-v3`),
    of('extract --memory', `${xr} extract '${image}' '${out}' --memory`),
    of('extract --core', `${xr} extract '${image}' '${out}' --core`),
    of('repair', `${xr} repair '${image}' '${out}'`),
    of('diff', `${xr} diff '${image}' '${image}'`),
  ]
}
