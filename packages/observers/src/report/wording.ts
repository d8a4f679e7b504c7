import type { Unit } from './measure.ts'

/** A duration as people say it. @param ms milliseconds */
export function durationText(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1000)} µs`
  if (ms < 10) return `${ms.toFixed(1)} ms`
  if (ms < 1000) return `${Math.round(ms)} ms`
  return ms < 120_000 ? `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s` : `${(ms / 60_000).toFixed(1)} min`
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** A size as people say it. */
export function bytesText(bytes: number): string {
  const power = Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10))
  const size = bytes / 1024 ** power
  return `${size >= 100 || power === 0 ? Math.round(size) : size.toFixed(1)} ${BYTE_UNITS[power] ?? ''}`
}

/** A value with its unit. */
export function valueText(value: number, unit: Unit): string {
  if (unit === 'ms') return durationText(value)
  return unit === 'bytes' ? bytesText(value) : Math.round(value).toLocaleString('en')
}
