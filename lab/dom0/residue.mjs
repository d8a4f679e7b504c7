// What Xen and its daemons hold at a moment: two of these tell what a run left behind.
import { attempt, run, sleep } from './run.mjs'

/** The answer of the hypervisor to one of its debug keys. */
async function debugKey(key) {
  await run(['xl', 'dmesg', '-c'])
  await run(['xl', 'debug-keys', key])
  await sleep(300)
  return (await run(['xl', 'dmesg'])).out
}

/** Guests of which Xen follows what they write. Source: the hypervisor's key `q`, line "paging assistance". */
export async function followed() {
  const dump = await debugKey('q')
  const guests = [...dump.matchAll(/General information for domain (\d+):([\s\S]*?)(?=General information|$)/g)]
  return guests.filter(([, , text]) => /paging assistance:.*log_dirty/.test(text)).map(([, id]) => Number(id))
}

/** Ports of dom0's event channels, by what they are for. */
async function eventChannels() {
  const { out } = await attempt([`${process.env.XEN_BIN}/lsevtchn`, '0'])
  return out.split('\n').filter((line) => /Interdomain|unbound/i.test(line)).map((line) => line.replace(/^\s*\d+:\s*/, '').replace(/Port \d+/i, 'port').trim()).sort()
}

/** Paths in xenstore, values left out; a domain's number is told as `DOM` when it is `id`. */
async function paths(id) {
  const { out } = await run(['xenstore-ls', '-f'])
  return out.split('\n').map((line) => line.split(' = ')[0]).filter((path) => path !== '').map((path) => (id === undefined ? path : path.replace(new RegExp(`/${id}(?=/|$)`, 'g'), '/DOM')))
}

/** Processes that save or restore. */
const engines = async () => (await run(['ps', '-eo', 'args'])).out.split('\n').filter((line) => /--save-domain|--restore-domain/.test(line))

/** All of it. @param {number | undefined} id of the guest, whose number is left out of the comparison */
export const residue = async (id) => ({ channels: await eventChannels(), paths: await paths(id), engines: await engines() })

/** What is in `after` and was not in `before`. */
export function leftOver(before, after) {
  const extra = (one, other) => {
    const known = [...one]
    return other.filter((item) => {
      const at = known.indexOf(item)
      if (at >= 0) known.splice(at, 1)
      return at < 0
    })
  }
  return Object.keys(after).flatMap((kind) => extra(before[kind], after[kind]).map((item) => `${kind}: ${item}`))
}
