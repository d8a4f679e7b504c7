import { definePlugin } from '@xen-replication/plugin-api'
import { httpTransport } from './http-transport.js'
import { steady } from './steady.js'

/** What the package brings. Nothing is done until somebody uses it. */
export const plugin = definePlugin({
  name: 'xr-plugin-http',
  api: 1,
  contribute: (to) => {
    to.transport('http', httpTransport)
    to.strategy('steady', steady)
  },
})
