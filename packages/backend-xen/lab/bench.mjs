// A bench for the compliance suite on a real Xen: one guest of a kind, set right again after each case.
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { pagesOf, sleep, watch } from './guest-views.mjs'

const load = (name, file = 'index.js') => import(`/opt/xr/packages/${name}/dist/${file}`)
const { openXenHost } = await load('backend-xen', 'host/open-host.js')
const { openPlatform } = await load('backend-xen', 'native/open-platform.js')

const xl = (...args) => execFileSync('xl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
const kernel = (name, type) => `name="${name}"\ntype="${type}"\nmemory=96\nvcpus=1\nkernel="/guest/vmlinux"\nramdisk="/guest/first.gz"\nextra="console=hvc0 quiet mitigations=off"\non_crash="preserve"\n`
const configs = {
  pv: (name) => kernel(name, 'pv'),
  pvh: (name) => kernel(name, 'pvh'),
  hvm: (name) => `name="${name}"\ntype="hvm"\nmemory=16\nvideoram=0\nvcpus=1\ndisk=['format=raw,vdev=hda,access=rw,backendtype=qdisk,target=/tmp/${name}.img']\nvga="none"\nnographic=1\nvnc=0\non_crash="preserve"\n`,
}
/** Windows of a guest's memory in which something is sure to be written. */
const busyHvm = [9, 0x10, 0x20, 0x4f]

/** HVM save records whose content moves on with time while the guest stands. Source: public/arch-x86/hvm/save.h. */
const timers = { 10: 'PIT', 11: 'RTC', 12: 'HPET', 13: 'PMTIMER' }
/** And of CPU the time stamp counter, in bytes from the start of its body. */
const tscOfCpu = { type: 2, at: 1008 }

/** And of ISA_IRQ, a bit for each line, those of the PIT (0) and the RTC (8): raised while a tick waits that the timer no longer knows of once it is restored. */
const ticksOfIsaIrq = { type: 8, bytes: [0, 1], line: 1 }

/** The context without what time alone changes. */
export function timeless(context) {
  const copy = Buffer.from(context)
  for (let at = 0; at + 8 <= copy.length; ) {
    const type = copy.readUInt16LE(at)
    const length = copy.readUInt32LE(at + 4)
    if (type === tscOfCpu.type) copy.fill(0, at + 8 + tscOfCpu.at, at + 16 + tscOfCpu.at)
    else if (type === ticksOfIsaIrq.type) for (const byte of ticksOfIsaIrq.bytes) copy[at + 8 + byte] &= ~ticksOfIsaIrq.line
    else if (type in timers) copy.fill(0, at + 8, at + 8 + length)
    at += 8 + length
  }
  return new Uint8Array(copy)
}

/** Tracking cannot be asked for, but turned on only where it is off: OFF is 0, ENABLE_LOGDIRTY 2, EINVAL 22. */
function isTracked({ domctl }, domId) {
  const { result } = domctl.try(domId, 'shadowOp', { op: 2 })
  if (result >= 0) domctl.try(domId, 'shadowOp', { op: 0 })
  return result === -22
}

/** Opens benches over one guest of the kind. */
export async function benches(kind) {
  const name = `c-${kind}`
  const backend = await openXenHost()
  const platform = await openPlatform()
  let guest

  const start = async () => {
    if (kind === 'hvm') copyFileSync('/scratch/in/boot.img', `/tmp/${name}.img`)
    writeFileSync(`/tmp/${name}.cfg`, configs[kind](name))
    xl('create', '/tmp/' + name + '.cfg')
    await sleep(kind === 'hvm' ? 4000 : 9000)
    const domId = Number(xl('domid', name))
    const view = await backend.openForSave(domId)
    const pages = await pagesOf(view)
    const seen = kind === 'hvm' ? { busy: busyHvm, quiet: (await watch(view, pages, { windows: 1 })).quiet } : await watch(view, pages)
    await view.close()
    console.log(`${name} is domain ${domId}: ${pages.size} pages, ${seen.busy.length} always written, ${seen.quiet.length} never`)
    return { domId, pages, busy: seen.busy.slice(0, 8), quiet: seen.quiet.slice(-6), config: JSON.parse(await backend.config(domId)) }
  }

  /** Brings the guest back to what each case finds. */
  const mend = async () => {
    for (const one of await backend.list()) if (one.name === 'incoming' || one.name === 'made') await backend.lifecycle(one.domId).destroy().catch(() => undefined)
    const line = guest && (await backend.list()).find((one) => one.domId === guest.domId && !one.dying)
    if (line !== undefined && (line.shutdown === undefined || line.shutdown === 'suspend')) {
      await backend.lifecycle(guest.domId).resume('cancelled')
      await backend.lifecycle(guest.domId).unpause()
      if (line.name !== name) await backend.rename(guest.domId, name)
      return
    }
    if (line !== undefined) await backend.lifecycle(guest.domId).destroy()
    guest = await start()
  }

  const held = async () => {
    const maps = readFileSync('/proc/self/maps', 'latin1').split('\n').filter((text) => text.includes('/privcmd'))
    const logs = kind !== 'pv' || backend.capabilities.has('log-dirty-pv')
    const tracked = (await backend.list()).filter(({ domId }) => logs && isTracked(platform, domId))
    const dirs = execFileSync('sh', ['-c', 'ls -d /var/run/xen/xr-* 2>/dev/null || true'], { encoding: 'utf8' }).split('\n').filter(Boolean)
    return [...maps.map((text) => `mapping ${text.split(' ')[0]}`), ...tracked.map((one) => `log-dirty ${one.domId}`), ...dirs]
  }

  const open = async () => {
    await mend()
    return {
      backend,
      domId: guest.domId,
      quiet: guest.quiet,
      timeless,
      goesOn: kind === 'hvm' ? ['cancelled', 'resumed'] : ['cancelled'], // Linux binds its channels anew, which are bound still
      work: async () => {
        await sleep(900)
        return guest.busy
      },
      frameOf: (pfn) => Promise.resolve(guest.pages.get(pfn).frame),
      request: (as) => {
        const config = structuredClone(guest.config)
        config.c_info = { ...config.c_info, name: as, uuid: randomUUID() }
        if (kind === 'hvm') {
          copyFileSync('/scratch/in/boot.img', '/tmp/incoming.img')
          for (const disk of config.disks ?? []) disk.pdev_path = '/tmp/incoming.img'
        }
        return { kind, name: as, config: JSON.stringify(config) }
      },
      held,
      close: mend,
    }
  }
  const close = async () => {
    if (guest !== undefined) await backend.lifecycle(guest.domId).destroy().catch(() => undefined)
    await platform.close()
    await backend.close()
  }
  return { open, close, held }
}
