import type { XlMessage } from './handshake.ts'

/** One thing said between two hosts. `stream` is the libxl stream; `back-channel` is COLO's, as long as the stream lasts. */
export interface ConversationStep {
  readonly from: 'sender' | 'receiver'
  readonly says: XlMessage | 'status' | 'xl-header' | 'stream' | 'back-channel'
}

const receiver = (says: ConversationStep['says']): ConversationStep => ({ from: 'receiver', says })
const sender = (says: ConversationStep['says']): ConversationStep => ({ from: 'sender', says })

const opening = [receiver('banner'), sender('xl-header'), sender('stream')] as const
const handOver = [...opening, receiver('ready'), sender('permission'), receiver('report'), receiver('status')] as const

/**
 * Who says what, in order. `plain` is `xl migrate` when all goes well; `plain-failed` when the status is not zero: the receiver has destroyed
 * its copy and gives the domain back. Replication has no hand-over: the stream goes on until one side is lost.
 *
 * Source: xl_migrate.c.
 */
export const xlConversations: Readonly<Record<'plain' | 'plain-failed' | 'remus' | 'colo', readonly ConversationStep[]>> = {
  plain: handOver,
  'plain-failed': [...handOver, receiver('permission')],
  remus: opening,
  colo: [...opening, receiver('back-channel')],
}
