// Guests of the lab: how they are configured, started, watched and taken away. What they count tells whether they run, and from where.
import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, writeFileSync } from 'node:fs'
import { CheckFailed, must } from './tap.mjs'
import { attempt, run, sleep, until } from './run.mjs'

const bootSectorCount = '0x9000'

const linux = (type, { name, memory, vcpus, vif, extra = 'dirty=64 tick=0.2' }) => `name="${name}"
type="${type}"
memory=${memory}
vcpus=${vcpus}
kernel="/guest/vmlinux"
ramdisk="/guest/first.gz"
extra="console=hvc0 quiet mitigations=off ${extra}"
on_crash="preserve"
${vif === undefined ? '' : `vif=['${vif}']\n`}`

const bootSector = ({ name, memory, vcpus }) => `name="${name}"
type="hvm"
memory=${memory}
videoram=0
vcpus=${vcpus}
disk=['format=raw,vdev=hda,access=rw,backendtype=qdisk,target=/tmp/${name}.img']
vga="none"
nographic=1
vnc=0
usb=0
on_crash="preserve"
`

/** The kinds of guest there are, each as small as it starts with. */
const kinds = {
  pv: { memory: 96, text: (guest) => linux('pv', guest) },
  pvh: { memory: 96, text: (guest) => linux('pvh', guest) },
  hvm: { memory: 16, text: bootSector },
}

/**
 * Writes the configuration of a guest.
 *
 * @param {'pv' | 'pvh' | 'hvm'} kind @param {string} name
 * @param {{ memory?: number, vcpus?: number, extra?: string, vif?: string }} [size] memory in MiB; `extra` goes to a Linux guest's command line; `vif`: its
 *   network device, as xl wants it
 */
export function guest(kind, name, { memory = kinds[kind].memory, vcpus = 1, extra, vif } = {}) {
  const config = `/tmp/${name}.cfg`
  if (kind === 'hvm') copyFileSync('/scratch/in/boot.img', `/tmp/${name}.img`)
  writeFileSync(config, kinds[kind].text({ name, memory, vcpus, extra, vif }))
  return { kind, name, config }
}

/** @returns {Promise<number | undefined>} the domain id, of a name or an id */
export async function domid(name) {
  const { status, out } = await attempt(['xl', 'domid', name])
  return status === 0 ? Number(out) : undefined
}

/** @returns {Promise<{ name: string, id: number, state: string }[]>} all but dom0 */
export async function domains() {
  const { out } = await run(['xl', 'list'])
  const rows = out.trim().split('\n').slice(1).map((line) => line.trim().split(/\s+/))
  return rows.map(([name, id, , , state]) => ({ name, id: Number(id), state })).filter(({ id }) => id !== 0)
}

/** Starts a guest and waits until it counts. On a busy machine libxl may give the device model up before it has started: then once more. */
export async function create(it) {
  for (let tries = 3; ; tries--) {
    const { status, err } = await attempt(['xl', 'create', '-q', it.config])
    if (status === 0) return runsOn(it, 0, { seconds: 180 })
    if (tries === 1 || !/device model did not start/.test(err)) throw new CheckFailed(`xl create ${it.config}: ${status}\n${err}`)
    await destroyAll()
  }
}

/** Takes a guest away, if it is there. */
export const destroy = (name) => attempt(['xl', 'destroy', String(name)])

/** Takes all guests away. */
export async function destroyAll() {
  for (const { id } of await domains()) await destroy(id)
}

/** What an HVM guest has counted to, read through the hypervisor. */
export async function countOf(id) {
  const { status, out, err } = await attempt(['python3', '/opt/xr/lab/dom0/peek.py', String(id), bootSectorCount])
  if (status !== 0) throw new CheckFailed(err)
  return Number(out)
}

async function bootSectorCounts(id, above, seconds) {
  const count = () => countOf(id)
  const first = await until(`the guest has counted to ${above}`, async () => { const n = await count(); return n > above && n }, { seconds })
  return until('the guest counts', async () => { const n = await count(); return n > first && n }, { seconds })
}

/** Follows the console. What was said before is passed over first: an old count proves nothing. */
async function consoleCounts(id, above, seconds) {
  const child = spawn(`${process.env.XEN_BIN}/xenconsole`, [String(id)], { stdio: ['pipe', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (text += bytes))
  child.on('error', (error) => (text += error.message))
  const last = () => Number([...text.matchAll(/COUNT (\d+)\r?\n/g)].at(-1)?.[1] ?? 0)
  try {
    await sleep(700)
    const first = last()
    return await until('the guest counts', () => last() > Math.max(first, above) && last(), { seconds, everyMs: 100 })
  } catch (error) {
    throw new CheckFailed(`${error.message}; its console ended with: ${text.trimEnd().slice(-300)}`)
  } finally {
    child.kill('SIGKILL')
  }
}

/**
 * Whether a guest runs: it counts on, beyond what it had counted to before.
 *
 * @param {{ kind: string, name: string }} it @param {number} above
 * @param {{ id?: number, seconds?: number }} [where] `id` when the name is not the one it was created with
 * @returns {Promise<number>} what it has counted to
 */
export async function runsOn(it, above, { id, seconds = 90 } = {}) {
  const at = id ?? (await domid(it.name))
  must(at !== undefined, `no domain is called ${it.name}`)
  return it.kind === 'hvm' ? bootSectorCounts(at, above, seconds) : consoleCounts(at, above, seconds)
}

/** The guest must be there once, and not be left over under another name. */
export async function onlyOne(it) {
  const same = (await domains()).filter(({ name }) => name === it.name || name.startsWith(`${it.name}--`))
  must(same.length === 1, `${it.name} is there ${same.length} times: ${same.map(({ name, id, state }) => `${name} (${id}, ${state})`).join(', ')}`)
}

/** A file that is there and holds something. */
export function filled(file) {
  must(existsSync(file), `${file} was not written`)
  return file
}
