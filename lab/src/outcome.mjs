// What a scenario came to: its TAP lines counted, its tables printed.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Reads the checks a scenario made.
 *
 * @param {string} log what it printed
 * @returns {{ passed: number, failed: string[], skipped: number, complete: boolean }} `complete` when it came to its plan, and the plan is what it did
 */
export function checksOf(log) {
  const lines = [...log.matchAll(/^(not )?ok (\d+) - (.*?)(?: # (.*))?$/gm)]
  const plan = /^1\.\.(\d+)$/m.exec(log)
  return {
    passed: lines.filter(([, not, , , remark]) => not === undefined && !remark?.startsWith('SKIP')).length,
    skipped: lines.filter(([, , , , remark]) => remark?.startsWith('SKIP')).length,
    failed: lines.filter(([, not]) => not !== undefined).map(([, , number, title]) => `${number} - ${title}`),
    complete: plan !== null && Number(plan[1]) === lines.length && lines.every(([, , number], at) => Number(number) === at + 1),
  }
}

/** Rows of cells under their names, in columns. */
export function table(rows) {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const lines = [names, ...rows.map((row) => names.map((name) => String(row[name] ?? '')))]
  const widths = names.map((_, column) => Math.max(...lines.map((line) => line[column].length)))
  return lines.map((line) => line.map((cell, column) => (/^[\d.]+$/.test(cell) ? cell.padStart(widths[column]) : cell.padEnd(widths[column]))).join('  ').trimEnd()).join('\n')
}

/** The tables of a scenario, as text. @param {string} out its results */
export function tables(out) {
  const file = join(out, 'rows.jsonl')
  if (!existsSync(file)) return ''
  const rows = readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line))
  const names = [...new Set(rows.map((row) => row.table))]
  return names.map((name) => `${name}\n${table(rows.filter((row) => row.table === name).map((row) => row.cells))}\n`).join('\n')
}
