import { XrError, type ErrorDetail } from '@xen-replication/errors'

/** What each code of the toolstack means; `docs/errors.md` is made from it. */
export const toolstackCodes = {
  TOOL_INTERRUPTED: 'A signal or `xr abort` called the operation off.',
  TOOL_IMAGE: 'What was given is no image that a guest can be restored from.',
  TOOL_NO_CONFIG: 'The configuration of a guest does not say what is needed to build it.',
  TOOL_GUEST: 'The guest does not run, so that it cannot be saved or moved.',
  TOOL_AMBIGUOUS: 'Several guests of this host have the UUID that was given.',
  TOOL_LEFT_OVER: 'A copy of a guest that must not run could not be destroyed.',
  TOOL_SETTING: 'A setting has a value that makes no sense, or there is no setting of that name.',
  TOOL_CONFIG_FILE: 'A configuration file cannot be read.',
  TOOL_DENIED: 'The arbiter does not let this side run the guest, or nobody could say which side may.',
  TOOL_UNPROTECTED: 'The guest runs on, and nobody has a copy of it any more.',
  TOOL_ARBITER: 'The two sides of a replication do not agree on who decides when they lose each other.',
  TOOL_STALE: 'The two sides of a replication know of different grants for the guest: one of them is out of date, or they ask different arbiters.',
  TOOL_NO_OPERATION: 'No operation on that guest is under way on this host.',
} as const

export type ToolstackErrorCode = keyof typeof toolstackCodes

/** An operation that cannot be begun, or was called off. */
export class ToolstackError extends XrError<ToolstackErrorCode> {
  override readonly name = 'ToolstackError'

  constructor(code: ToolstackErrorCode, what: string, detail: ErrorDetail = {}) {
    super(code, what, detail)
  }
}
