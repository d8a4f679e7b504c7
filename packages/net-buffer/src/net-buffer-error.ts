import { XrError, type ErrorDetail } from '@xen-replication/errors'

/** What each code of the packet buffer means; `docs/errors.md` is made from it. */
export const netBufferCodes = {
  NETBUF_VIF: 'A network interface of the guest has no usable name, or is not there.',
  NETBUF_MODULE: 'The kernel lacks something that holding packets back needs.',
  NETBUF_BUSY: 'Somebody else has put an ingress qdisc on an interface of the guest.',
  NETBUF_DENIED: 'Network devices may not be changed.',
  NETBUF_PROGRAM: 'The programs `ip` and `tc` cannot be run.',
  NETBUF_FAILED: 'One of the programs `ip` and `tc` failed.',
  NETBUF_STATE: 'The buffer was used before it was set up, or after it was taken down.',
  NETBUF_STUCK: 'Packets that were released do not get out.',
} as const

export type NetBufferErrorCode = keyof typeof netBufferCodes

/** Packets cannot be held back, or let go. */
export class NetBufferError extends XrError<NetBufferErrorCode> {
  override readonly name = 'NetBufferError'

  constructor(code: NetBufferErrorCode, what: string, detail: ErrorDetail = {}) {
    super(code, what, detail)
  }
}
