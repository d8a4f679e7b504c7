import type { Json } from '../../bytes/field.ts'

/** One difference between two JSON values. What is missing on a side is undefined there. */
export interface Change {
  /** Keys with dots between, list places in brackets. */
  readonly path: string
  readonly a: Json | undefined
  readonly b: Json | undefined
}

/** Longest text shown of a value that differs; hexadecimal of whole registers fits in. */
const TEXT_MAX = 96
const DEPTH_MAX = 200

type Node = Json | undefined

/**
 * Differences of two JSON values, by the names and places of their parts, in the order of `a`, then what only `b` has. Values that
 * are long are shortened in the result, not in the comparison.
 */
export function* treeDiff(a: Node, b: Node, path = '', depth = 0): Generator<Change, void, void> {
  if (a === b) return
  if (depth < DEPTH_MAX && isObject(a) && isObject(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) yield* treeDiff(own(a, key), own(b, key), path === '' ? key : `${path}.${key}`, depth + 1)
  } else if (depth < DEPTH_MAX && isList(a) && isList(b)) {
    for (let i = 0; i < Math.max(a.length, b.length); i++) yield* treeDiff(a[i], b[i], `${path}[${i}]`, depth + 1)
  } else if (depth < DEPTH_MAX || JSON.stringify(a) !== JSON.stringify(b)) yield { path, a: shortened(a), b: shortened(b) }
}

const isList = (node: Node): node is readonly Json[] => Array.isArray(node)
const isObject = (node: Node): node is { readonly [key: string]: Json } => typeof node === 'object' && node !== null && !isList(node)
/** Not the prototype's: a key may be named `constructor`. */
const own = (node: { readonly [key: string]: Json }, key: string): Node => (Object.hasOwn(node, key) ? node[key] : undefined)

function shortened(node: Node): Node {
  const text = typeof node === 'object' && node !== null ? JSON.stringify(node) : node
  return typeof text === 'string' && text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}… (${text.length} characters)` : node
}
