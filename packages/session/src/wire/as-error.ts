/** What was thrown, as an error: anything may be, by a signal's owner for instance. */
export const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown }))
