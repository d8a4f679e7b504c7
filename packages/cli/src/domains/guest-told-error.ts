import { XrError } from '@xen-replication/errors'

/** An error that says, too, how the guest stands now. */
export class GuestToldError extends XrError {
  override readonly name = 'GuestToldError'
  override readonly offset: number | undefined
  override readonly record: number | undefined

  /** @param fate what became of the guest, in a few words */
  constructor(error: XrError, fate: string) {
    super(error.code, `${error.message}; ${fate}`, { hint: error.hint, cause: error })
    this.offset = error.offset // the message has the place already
    this.record = error.record
  }
}
