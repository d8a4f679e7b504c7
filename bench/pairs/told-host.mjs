// A simulated host that writes down what the world could see of its guests, for bench/pairs.mjs: `xr --backend told --plugin THIS FILE`.
// A line of JSON each in the file that XR_WORLD names, with the time in milliseconds since 1970.
import { openMockHost } from '@xen-replication/backend-mock'
import { definePlugin } from '@xen-replication/plugin-api'
import { appendFileSync } from 'node:fs'

/** @param world where to write, or undefined; @param name of the host, in each line */
export async function openToldHost(folder, world, name) {
  const tell = (line) => world !== undefined && appendFileSync(world, `${JSON.stringify({ host: name, at: performance.timeOrigin + performance.now(), ...line })}\n`)
  const host = await openMockHost(folder, { onPacket: (domId, { number, ops, sentAt }) => tell({ what: 'packet', domId, number, ops, sentAt }) })
  const uuidOf = async (domId) => (await host.list()).find((one) => one.domId === domId)?.uuid
  const lifecycleOf = (domId, lifecycle) =>
    over(lifecycle, {
      unpause: async () => {
        if (!(await lifecycle.state()).paused) return
        const ops = await host.inspect(domId, (guest) => guest.ops).catch(() => undefined) // another process may have the guest
        await lifecycle.unpause()
        tell({ what: 'unpause', domId, uuid: await uuidOf(domId), ops })
      },
      destroy: async () => {
        await lifecycle.destroy()
        tell({ what: 'destroy', domId })
      },
    })
  const handle = (opened) => over(opened, { lifecycle: lifecycleOf(opened.facts.domId, opened.lifecycle) })
  return over(host, {
    name: 'told',
    openForSave: async (domId) => handle(await host.openForSave(domId)),
    openForRestore: async (request) => handle(await host.openForRestore(request)),
    lifecycle: (domId) => lifecycleOf(domId, host.lifecycle(domId)),
  })
}

/** The same object with some of it in another way. */
function over(object, others) {
  return new Proxy(object, {
    get: (target, name) => {
      if (Object.hasOwn(others, name)) return others[name]
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

export const told = definePlugin({
  name: 'told',
  api: 1,
  contribute: (to) => to.backend('told', { summary: 'a simulated host that is watched', open: (settings) => openToldHost(settings['mock-host'], process.env.XR_WORLD, process.env.XR_HOST) }),
})
