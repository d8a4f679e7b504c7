/** The store that guests, their devices and the toolstack share. Paths are absolute. */
export interface XenstoreView {
  /** @returns undefined where there is no such node. */
  read(path: string): Promise<string | undefined>
  /** Names of the nodes below; empty where there is no such node. */
  list(path: string): Promise<readonly string[]>
  write(path: string, value: string): Promise<void>
  /** A node that is not there is no error. */
  remove(path: string): Promise<void>
}

/** A connection to xenstored. @throws BackendError BACKEND_HOST, BACKEND_DENIED from every call */
export interface Xenstore extends XenstoreView {
  /** Does all of `work` at once, again if somebody else came between. `work` must do nothing else. */
  atomically<T>(work: (view: XenstoreView) => Promise<T>): Promise<T>
  /**
   * Has `changed` called whenever the node or one below it changes, and once at the beginning.
   *
   * @returns what ends it.
   */
  watch(path: string, changed: () => void): Promise<() => Promise<void>>
  /** Tells xenstored that a suspended domain goes on. */
  resumeDomain(domId: number): Promise<void>
  close(): void
}
