/** The same kind of field under several names, in the order given; for tables of registers. */
export const each = <F, const N extends string>(field: F, ...names: readonly N[]): { readonly [K in N]: F } =>
  Object.fromEntries(names.map((name) => [name, field])) as { readonly [K in N]: F }
