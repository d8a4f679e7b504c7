import { schemeOf } from '@xen-replication/plugin-api'

/** Behind these every link has a process or a file of its own, so that a second one does not lead to the same peer. */
const ONE_LINK: ReadonlySet<string> = new Set(['exec', 'ssh', 'fd', 'file'])
/** Behind these there may be a file, whose end is the end of what is in it. */
const MAY_BE_FILE: ReadonlySet<string> = new Set(['fd', 'file'])

/** Behind these there is a command, whose status says whether the bytes were right. */
const COMMAND: ReadonlySet<string> = new Set(['exec', 'ssh'])

/** Whether a lost link can be made once more. */
export const leadsBack = (url: string): boolean => !ONE_LINK.has(schemeOf(url))

/** Whether somebody lives at the other end, who is lost when the bytes end too early. */
export const leadsToPeer = (url: string): boolean => !MAY_BE_FILE.has(schemeOf(url))

/** Whether a command at the other end has the last word. */
export const leadsToCommand = (url: string): boolean => COMMAND.has(schemeOf(url))
