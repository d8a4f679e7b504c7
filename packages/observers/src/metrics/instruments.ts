import type { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Bounds in seconds: pauses of 0.2 ms up to a link that needs 5 s. */
const SECONDS = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]
/** Bounds in pages of 4 KiB: 4 KiB up to 1 GiB. */
const PAGES = [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144]
/** Bounds in seconds of whole operations: up to an hour. */
const LONG = [0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 3600]

/** Everything that is counted. Names and labels are an interface: dashboards and alerts rest on them. */
export interface Instruments {
  readonly operations: Counter<'verb' | 'outcome' | 'code'>
  readonly running: Gauge<'verb'>
  readonly seconds: Histogram<'verb' | 'outcome'>
  readonly sent: Counter<'verb' | 'guest'>
  readonly linkLost: Counter<'verb'>
  readonly answers: Counter<'answer'>
  readonly state: Gauge<'guest' | 'role' | 'state'>
  readonly acknowledged: Counter<'guest'>
  readonly missed: Counter<'guest'>
  readonly lastAcknowledged: Gauge<'guest'>
  readonly pause: Histogram<'guest'>
  readonly pages: Histogram<'guest'>
  readonly bytes: Counter<'guest'>
  readonly latency: Histogram<'guest'>
  readonly held: Histogram<'guest'>
}

export function instruments(registry: Registry, { Counter: C, Gauge: G, Histogram: H }: typeof import('prom-client')): Instruments {
  const of = <L extends string>(name: string, help: string, ...labelNames: readonly L[]) => ({ name: `xr_${name}`, help, labelNames: [...labelNames], registers: [registry] })
  return {
    operations: new C(of('operations_total', 'Operations that have ended.', 'verb', 'outcome', 'code')),
    running: new G(of('operations_running', 'Operations under way.', 'verb')),
    seconds: new H({ ...of('operation_seconds', 'How long operations took.', 'verb', 'outcome'), buckets: LONG }),
    sent: new C(of('sent_bytes_total', 'Bytes of memory that saves and migrations have written, before any compression.', 'verb', 'guest')),
    linkLost: new C(of('link_lost_total', 'Links that were lost.', 'verb')),
    answers: new C(of('arbiter_answers_total', 'What the arbiter has answered.', 'answer')),
    state: new G(of('replication_state', '1 for the state in which the strategy is.', 'guest', 'role', 'state')),
    acknowledged: new C(of('epochs_acknowledged_total', 'Epochs that the backup has acknowledged.', 'guest')),
    missed: new C(of('epochs_missed_total', 'Epochs that were due and did not begin within half an interval.', 'guest')),
    lastAcknowledged: new G(of('epoch_last_acknowledged_timestamp_seconds', 'When an epoch was acknowledged last.', 'guest')),
    pause: new H({ ...of('epoch_pause_seconds', 'How long the guest stood for a checkpoint.', 'guest'), buckets: SECONDS }),
    pages: new H({ ...of('epoch_dirty_pages', 'Pages of a checkpoint.', 'guest'), buckets: PAGES }),
    bytes: new C(of('epoch_bytes_total', 'Bytes of checkpoints, before any compression.', 'guest')),
    latency: new H({ ...of('epoch_latency_seconds', 'From the end of an epoch until the backup had it.', 'guest'), buckets: SECONDS }),
    held: new H({ ...of('output_held_seconds', 'How long the oldest output of an epoch was held back.', 'guest'), buckets: SECONDS }),
  }
}
