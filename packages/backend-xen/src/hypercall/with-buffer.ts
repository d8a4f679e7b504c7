import type { HypercallBuffer, HypercallPort } from './hypercall.ts'

/** Lends a buffer for as long as `use` works with it. */
export function withBuffer<T>(port: HypercallPort, bytes: number, use: (buffer: HypercallBuffer) => T): T {
  const buffer = port.allocate(Math.max(bytes, 1))
  try {
    return use(buffer)
  } finally {
    buffer.free()
  }
}
