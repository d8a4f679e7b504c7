// A guest, a host and the world outside, as three network namespaces: guest g0 -- vif (host) -- bridge -- u0 (host) -- o0 outside.
import { execFileSync, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export const addresses = { guest: { 4: '10.77.0.1', 6: 'fd77::1' }, outside: { 4: '10.77.0.2', 6: 'fd77::2' } }
const MACS = { guest: '02:00:00:00:77:01', outside: '02:00:00:00:77:02' }

const ip = (line) => execFileSync('ip', line.split(' '), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: '/usr/sbin:/sbin:/usr/bin:/bin' } })

/** Whether this process may make network namespaces. */
export function namespacesAllowed() {
  const name = `xr-try-${process.pid}`
  try {
    ip(`netns add ${name}`)
    ip(`-n ${name} link add v0 type veth peer name v1`)
    return true
  } catch {
    return false
  } finally {
    try {
      ip(`netns del ${name}`)
    } catch {
      // it was not made
    }
  }
}

let made = 0

/** @param neighbours 'known': nobody has to ask with ARP or neighbour discovery. */
export async function makeNetwork({ neighbours = 'known' } = {}) {
  const id = `${process.pid}-${made++}`
  const ns = { guest: `xr-g-${id}`, host: `xr-h-${id}`, outside: `xr-o-${id}` }
  const children = []
  const remove = async () => {
    for (const child of children) await stopped(child)
    for (const name of Object.values(ns)) {
      try {
        ip(`netns del ${name}`)
      } catch {
        // it was not made
      }
    }
  }
  try {
    for (const name of Object.values(ns)) ip(`netns add ${name}`)
    ip(`-n ${ns.host} link add br0 type bridge`)
    ip(`-n ${ns.host} link set br0 up`)
    for (const [side, inside, outer] of [['guest', 'g0', 'vif1.0'], ['outside', 'o0', 'u0']]) {
      ip(`-n ${ns.host} link add ${outer} type veth peer name ${inside} address ${MACS[side]} netns ${ns[side]}`)
      ip(`-n ${ns.host} link set ${outer} master br0 up`)
      ip(`-n ${ns[side]} link set lo up`)
      ip(`-n ${ns[side]} link set ${inside} up`)
      ip(`-n ${ns[side]} addr add ${addresses[side][4]}/24 dev ${inside}`)
      ip(`-n ${ns[side]} addr add ${addresses[side][6]}/64 dev ${inside} nodad`)
    }
    if (neighbours === 'known') {
      for (const [side, dev, other] of [['guest', 'g0', 'outside'], ['outside', 'o0', 'guest']]) {
        for (const family of [4, 6]) ip(`-n ${ns[side]} neigh replace ${addresses[other][family]} lladdr ${MACS[other]} dev ${dev} nud permanent`)
      }
    }
    await sleep(300) // the bridge begins to forward; what the kernels say to all by themselves is over
    const guest = await endpoint(ns.guest, children)
    const outside = await endpoint(ns.outside, children)
    return {
      vif: 'vif1.0', ns, guest, outside, remove,
      /** Whether the outside has heard of the guest by ARP (4) or neighbour discovery (6). */
      knowsGuest: (family) => ip(`-n ${ns.outside} neigh show ${addresses.guest[family]}`).includes(MACS.guest),
      /** Packets that went into a device of the host. */
      packetsInto: (dev) => JSON.parse(ip(`-n ${ns.host} -s -j link show dev ${dev}`))[0].stats64.rx.packets,
      /** What holding back could have left on the host. */
      leftOver: () => ip(`-n ${ns.host} link show`).split('\n').filter((line) => /^\d+: xr-/.test(line)).concat(tc(ns.host).filter((line) => line.includes('ingress') || line.includes('plug'))),
    }
  } catch (error) {
    await remove()
    throw error
  }
}

const tc = (name) => execFileSync('tc', ['-n', name, 'qdisc', 'show'], { encoding: 'utf8', env: { PATH: '/usr/sbin:/sbin' } }).split('\n')

async function endpoint(name, children) {
  const program = fileURLToPath(new URL('endpoint.mjs', import.meta.url))
  const child = spawn('ip', ['netns', 'exec', name, process.execPath, program], { stdio: ['pipe', 'pipe', 'inherit'], env: { PATH: '/usr/sbin:/sbin:/usr/bin:/bin' } })
  children.push(child)
  const [saw, waiting] = [[], new Map()]
  let ready
  const started = new Promise((resolve, reject) => {
    ready = resolve
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`the end in ${name} is gone`)))
  })
  createInterface({ input: child.stdout }).on('line', (line) => {
    const told = JSON.parse(line)
    if (told.saw === 'ready') ready()
    else if (told.saw !== undefined) saw.push(told)
    else waiting.get(told.done)?.(told.error)
  })
  await started
  let orders = 0
  const order = (what) =>
    new Promise((resolve, reject) => {
      const id = orders++
      waiting.set(id, (error) => (error === undefined ? resolve() : reject(new Error(error))))
      child.stdin.write(`${JSON.stringify({ ...what, id })}\n`)
    })
  return {
    saw,
    texts: (kind) => saw.filter((one) => one.saw === kind).map((one) => one.text),
    send: (family, to, text) => order({ do: 'send', family, to, text }),
    connect: (to) => order({ do: 'connect', to }),
    write: (text) => order({ do: 'write', text }),
  }
}

function stopped(child) {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', resolve)
    child.kill('SIGKILL')
  })
}

/** Waits until something is so; says what it waited for when it never is. */
export async function eventually(what, isSo, limitMs = 10_000) {
  for (const end = Date.now() + limitMs; !(await isSo()); await sleep(10)) if (Date.now() > end) throw new Error(`not so after ${limitMs} ms: ${what}`)
}

/** Time for a packet that must not come to come all the same, in milliseconds. */
export const QUIET_MS = 150
export const quiet = () => sleep(QUIET_MS)
