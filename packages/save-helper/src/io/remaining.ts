/** What remains of the parts once `written` bytes of them are gone. */
export function remaining(parts: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let skip = written
  let first = 0
  for (let part = parts[first]; part !== undefined && skip >= part.length; part = parts[++first]) skip -= part.length
  const [cut, ...rest] = parts.slice(first)
  return cut === undefined ? [] : [cut.subarray(skip), ...rest]
}
