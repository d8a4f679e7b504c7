/** How long to wait before a descriptor is tried again, in milliseconds. */
const AGAIN_MS = 1

/**
 * Does what waits in the system on descriptors that libxl makes: they block. Where whoever made one did not have it so, it is tried again and
 * again.
 */
export function patiently<T>(work: () => T): T {
  for (;;) {
    try {
      return work()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, AGAIN_MS)
    }
  }
}
