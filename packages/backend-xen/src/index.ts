export { openXenGuests } from './open-guests.ts'
export { XenGuests } from './xen-guests.ts'
