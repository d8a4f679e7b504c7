import { memoryStore } from '../store/memory-store.ts'
import { openDirectory } from '../store/directory-store.ts'
import { MockHost } from './mock-host.ts'
import type { MockHostOptions } from './options.ts'

const DEFAULTS = { seed: 1, memoryBytes: 64 * 2 ** 30 } as const

/** A host that lives as long as this process. */
export function createMockHost(options: MockHostOptions = {}): MockHost {
  return new MockHost(memoryStore({ seed: options.seed ?? DEFAULTS.seed, memoryBytes: options.memoryBytes ?? DEFAULTS.memoryBytes }), options)
}

/**
 * A host whose guests live in a directory, which is made when it is not there. Several processes may use it at the same time, each guest's
 * memory by one at a time. `seed` and `memoryBytes` count when the host is made.
 *
 * @throws BackendError BACKEND_HOST
 */
export async function openMockHost(directory: string, options: MockHostOptions = {}): Promise<MockHost> {
  return new MockHost(await openDirectory(directory, { ...DEFAULTS, ...options }), options)
}
