export { openXenGuests } from './open-guests.ts'
export type { XenGuests } from './xen-guests.ts'
export { xenPlugin } from './xen-plugin.ts'
