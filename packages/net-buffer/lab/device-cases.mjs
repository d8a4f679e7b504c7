// The contract of checkpoint devices, with real packets. Where several epochs are over at once, the plug qdisc lets the later ones out together:
// those promises it keeps late, and `checks.mjs` proves what it does instead.
import { deviceCases } from '@xen-replication/compliance'
import { setTimeout as sleep } from 'node:timers/promises'
import { addresses, makeNetwork, quiet } from './network.mjs'

const late = new Set([
  'an epoch may be committed while the next ones are already over',
  'a later commit stands for the earlier ones',
  'committing again, or something older, changes nothing',
])

export const contract = (hold) =>
  deviceCases.filter(({ name }) => !late.has(name)).map((one) => ({
    name: `contract: ${one.name}`,
    run: () =>
      one.run(async () => {
        const network = await makeNetwork()
        let count = 0
        return {
          device: hold(network),
          emit: async () => {
            const name = String(++count)
            const family = count % 2 === 0 ? 4 : 6
            await network.guest.send(family, addresses.outside[family], name)
            await sleep(20) // it has reached the host
            return name
          },
          seen: async () => {
            await quiet()
            return network.outside.saw.map(({ text }) => text)
          },
          close: network.remove,
        }
      }, 60_000),
  }))
