/** Limits of a comparer. Defaults are those of QEMU's colo-compare, where it has the limit. */
export interface ComparerOptions {
  /** Longest wait of a packet for its counterpart, in milliseconds; 3000. Source: compare_timeout. */
  readonly timeoutMs?: number
  /** Shortest time between two looks at what has waited too long, in milliseconds; 1000. Source: expired_scan_cycle. */
  readonly scanMs?: number
  /** Packets of one side that may wait in one flow before a checkpoint is wanted; 1024. Source: max_queue_size. */
  readonly maxPackets?: number
  /** Flows that are remembered; 16,384. Source: HASHTABLE_MAX_SIZE. */
  readonly maxFlows?: number
  /** What all waiting packets may take together, in bytes, 256 for each on top; 64 MiB. colo-compare has no such limit. */
  readonly maxBytes?: number
}

export const defaults: Required<ComparerOptions> = { timeoutMs: 3000, scanMs: 1000, maxPackets: 1024, maxFlows: 16_384, maxBytes: 64 * 1024 * 1024 }
