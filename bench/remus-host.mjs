// One simulated host in a process of its own, for bench/remus*.mjs: `primary` protects a guest, `backup` takes one after another. Events go to
// the parent over IPC, with times in milliseconds since 1970.
import { createMockHost, realClock } from '@xen-replication/backend-mock'
import { arbiters } from '@xen-replication/arbiters'
import { definePlugin } from '@xen-replication/plugin-api'
import { remusPlugin } from '@xen-replication/remus'
import { compose, noRegistry, systemClock, T } from '@xen-replication/toolstack'
import { transports } from '@xen-replication/transports'

/** Kinds of events that the parent hears of. */
const TOLD = new Set(['epoch.staged', 'epoch.acknowledged', 'epoch.released', 'strategy.move', 'arbiter.answer'])

/** How often the guest does what it would have done by now. */
const LOOK_MS = 3

const never = new AbortController().signal
const [role, told = '{}'] = process.argv.slice(2)
const wanted = JSON.parse(told)
/** With `quiet` events are kept here until the end: telling of each would be measured as well. */
const kept = []

const host = createMockHost({ clock: realClock(), seed: 1, onPacket: (_id, { number, ops }) => wanted.quiet || process.send({ packet: { number, ops } }) })
const here = definePlugin({ name: 'bench', api: 1, contribute: (to) => to.backend('bench', { summary: 'a host in memory', open: () => Promise.resolve(host) }) })
const observe = ({ kind, at, data }) => {
  if (!TOLD.has(kind)) return
  const event = { kind, at: performance.timeOrigin + at, data }
  if (wanted.quiet && kind !== 'strategy.move') kept.push(event)
  else if (!wanted.quiet || data.event === 'copied') process.send({ event })
}
const stack = await compose({ backend: 'bench', settings: {}, plugins: [here, arbiters({ env: {} }), transports({ env: {} }), remusPlugin], observers: [{ observe, close: async () => undefined }], clock: systemClock, registry: noRegistry, signal: never })

const stop = new AbortController()
/** Processor time at the beginning of what is measured. */
let mark
process.on('message', (job) => {
  if (job === 'mark') mark = process.cpuUsage()
  else if (job === 'stop') stop.abort()
  else void take(job)
})
if (role === 'primary') await protect(wanted)
if (role === 'backup') process.send({ ready: true })

async function protect({ url, arbiter, interval, guest, compression, failureMs }) {
  const domId = await host.createGuest({ name: 'demo', kind: 'hvm', ...guest })
  // A simulated guest does its work when somebody looks; a real one does it meanwhile, not while it stands.
  setInterval(() => host.lifecycle(domId).state().catch(() => undefined), LOOK_MS).unref()
  const replicate = await stack.get(T.replicate)
  const { code = 'done' } = await replicate({ verb: 'remus', strategy: 'remus', options: { interval }, doms: ['demo'], url, arbiter, compression, failureMs }, stop.signal).catch((error) => error)
  process.send({ ended: code, kept, cpu: process.cpuUsage(mark), left: (await host.list()).length }, () => process.exit(0))
}

async function take({ url, arbiter }) {
  const receive = await stack.get(T.receive)
  const receiving = receive({ url, arbiter, peer: 'xr', then: 'run' }, never)
  receiving.catch(() => undefined)
  setImmediate(() => process.send({ listening: true }))
  try {
    const got = await receiving
    const ops = got.released ? 0 : await host.inspect(got.domId, (guest) => guest.ops)
    if (!got.released) await host.lifecycle(got.domId).destroy()
    process.send({ took: !got.released, ops, epochs: got.replica?.epochs ?? got.epochs, cpu: process.cpuUsage(mark) })
  } catch (error) {
    process.send({ took: false, ops: 0, error: `${error.code}: ${error.message}` })
  }
}
