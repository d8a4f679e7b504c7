const steps = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** Bytes with a unit and three digits: `512 B`, `1.50 KiB`, `64 MiB`. */
export function bytesText(bytes: number): string {
  let value = bytes
  let step = 0
  while (value >= 1024 && step < steps.length - 1) {
    value /= 1024
    step++
  }
  const text = Number.isInteger(value) ? String(value) : value.toPrecision(value >= 1000 ? 4 : 3)
  return `${text} ${steps[step] as string}`
}

/** Milliseconds with a unit: `3.2 ms`, `1.25 s`, `2 min 5 s`. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${ms.toPrecision(ms >= 100 ? 3 : 2)} ms`
  if (ms < 60_000) return `${(ms / 1000).toPrecision(3)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** A whole number with thin groups: `1 048 576`. */
export function countText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ' ')
}

/** A count and its noun: `1 page`, `3 pages`. */
export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${countText(count)} ${count === 1 ? noun : nouns}`
}

/** A number as `0x…`. */
export function hexText(value: number | bigint): string {
  return `0x${value.toString(16)}`
}
