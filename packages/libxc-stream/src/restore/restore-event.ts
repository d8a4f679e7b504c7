/** What a restore tells while it works. */
export type RestoreEvent =
  /** The headers were read. `converted`: a converter made the image from the legacy format. */
  | { readonly type: 'image'; readonly version: number; readonly guest: 'pv' | 'hvm'; readonly converted: boolean }
  /** Nothing that describes the guest as such comes any more. `missing`: the host uses a policy of its own. */
  | { readonly type: 'static-data'; readonly missing: readonly ('cpuid' | 'msr')[] }
  /** After each PAGE_DATA record that was put in place. `entries` and `contents` count pages of all records so far, `bytes` the stream so far. */
  | { readonly type: 'pages'; readonly entries: number; readonly contents: number; readonly bytes: number }
  /** The pages that come now are compared with those that came before. */
  | { readonly type: 'verify-begin' }
  | { readonly type: 'verify-mismatch'; readonly pfn: number }
  /** A record was passed over, as its type allows. */
  | { readonly type: 'skipped'; readonly recordType: number; readonly offset: number }
  /** A checkpoint is part of the guest now. `bytes`: what was held back of it. */
  | { readonly type: 'checkpoint'; readonly epoch: number; readonly bytes: number }

export type RestoreObserver = (event: RestoreEvent) => void
