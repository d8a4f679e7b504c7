/** A column: its heading and on which side its cells stand. */
export interface Column {
  readonly heading: string
  readonly align?: 'left' | 'right'
}

/** Lines of a table, two blanks between columns; the last column is not padded. */
export function tableText(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((column, i) => Math.max(column.heading.length, ...rows.map((row) => (row[i] ?? '').length)))
  return [columns.map((column) => column.heading), ...rows].map((row) => lineText(columns, widths, row)).join('')
}

/** One line of a table whose column widths are known beforehand, for tables that are written as they grow. */
export function lineText(columns: readonly Column[], widths: readonly number[], row: readonly string[]): string {
  const cells = row.map((cell, i) => (columns[i]?.align === 'right' ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
  return `${cells.join('  ').trimEnd()}\n`
}

/** `name  value` lines under a heading; a value of several lines is indented, an undefined one left out. */
export function sectionText(pairs: readonly (readonly [name: string, value: string | undefined])[], indent = ''): string {
  const shown = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== undefined)
  const width = Math.max(0, ...shown.map(([name]) => name.length))
  const below = `\n${indent}${' '.repeat(width + 2)}`
  return shown.map(([name, value]) => `${indent}${name.padEnd(width)}  ${value.split('\n').join(below)}\n`).join('')
}
