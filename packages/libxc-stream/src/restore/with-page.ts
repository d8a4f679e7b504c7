import type { GuestBuilder } from '@xen-replication/hypervisor'

/** Maps one frame for as long as `use` works on it. @throws BackendError BACKEND_MAP */
export async function withPage<T>(memory: GuestBuilder, frame: number, use: (page: Uint8Array) => T): Promise<T> {
  const mapped = await memory.map(Float64Array.of(frame))
  try {
    return use(mapped.page(0))
  } finally {
    mapped.close()
  }
}
