import { FormatError } from '../format-error.ts'

/** Does `work`, naming the field it is about in its error. */
export function inField<T>(name: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    throw new FormatError(error.code, `${name}: ${error.message}`, { hint: error.hint, cause: error })
  }
}
