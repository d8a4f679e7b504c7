/**
 * Which way through memory: `live` while the guest runs, `final` once it stands, `checkpoint` the same for one of many,
 * `verify` everything once more to be compared.
 */
export type PassName = 'live' | 'final' | 'checkpoint' | 'verify'

/**
 * What a save tells while it works. `round` counts live rounds and goes on with the last pass; checkpoints count from 0
 * again. Pages count entries of the image, holes included; bytes count what this save has written in all.
 */
export type SaveEvent =
  | { readonly type: 'pass-begin'; readonly pass: PassName; readonly round: number; readonly expected: number }
  /** After each batch of up to 1024 pages. `sent` counts those of this pass and may exceed `expected`, which is an estimate. */
  | { readonly type: 'pages'; readonly pass: PassName; readonly round: number; readonly sent: number; readonly expected: number; readonly bytes: number }
  /** `deferred`: pages that could not be sent yet and come with the last pass. */
  | { readonly type: 'pass-end'; readonly pass: PassName; readonly round: number; readonly sent: number; readonly deferred: number; readonly bytes: number }
  /** The guest wrote about `pages` pages since the last look. */
  | { readonly type: 'dirty'; readonly round: number; readonly pages: number }
  /** Something could not be undone at the end; the image is not affected. */
  | { readonly type: 'trouble'; readonly what: 'log-dirty-off' | 'device-model-log-dirty-off'; readonly error: unknown }

export type SaveObserver = (event: SaveEvent) => void
