import { definePlugin } from '@xen-replication/plugin-api'

/** Guests of a real Xen as the backend `xen`. Nothing native is loaded before it is opened. */
export const xenPlugin = definePlugin({
  name: '@xen-replication/backend-xen',
  api: 1,
  contribute: (to) =>
    to.backend('xen', {
      summary: 'The Xen host that xr runs on, in its control domain and as root.',
      open: async () => (await import('./host/open-host.ts')).openXenHost(),
    }),
})
