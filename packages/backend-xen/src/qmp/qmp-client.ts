/** A device model that takes commands. Source: QEMU, docs/interop/qmp-spec.rst. */
export interface QmpClient {
  /**
   * @returns what it gives back.
   * @throws BackendError BACKEND_DEVICE_MODEL when it refuses, is gone, or does not answer in time
   */
  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>
  close(): void
}

/** Longest wait for an answer, in milliseconds. Source: libxl, 10 s. */
export const QMP_TIMEOUT_MS = 10_000
