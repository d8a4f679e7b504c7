/** A value that is there, or a promise of it. What often is there at once is given so: a promise for each read takes longer than the read. */
export type Soon<T> = T | Promise<T>

/** Whether one has to wait. Promises of another realm count, so it asks for `then`. */
export const isLater = <T>(value: Soon<T>): value is Promise<T> => typeof (value as { then?: unknown } | undefined)?.then === 'function'

/** Goes on with the value, at once where it is there. */
export const andThen = <T, U>(value: Soon<T>, use: (value: T) => Soon<U>): Soon<U> => (isLater(value) ? value.then(use) : use(value))
