import { schemeOf } from '@xen-replication/plugin-api'

/** Behind these every link has a process or a file of its own, so that a second one does not lead to the same peer. */
const ONE_LINK: ReadonlySet<string> = new Set(['exec', 'ssh', 'fd', 'file'])

/** Whether a lost link can be made once more. */
export const leadsBack = (url: string): boolean => !ONE_LINK.has(schemeOf(url))
