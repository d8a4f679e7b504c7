/** Page size of every x86 guest, in bytes. Source: libxc migration stream, domain header page_shift 12. */
export const PAGE_SIZE = 4096

/** Records start at multiples of this many bytes from the start of their stream. */
export const RECORD_ALIGNMENT = 8

/** Longest libxc record body in bytes. Source: xg_sr_stream_format.h, REC_LENGTH_MAX. */
export const LIBXC_BODY_MAX = 0x08000000

/** Most pfns that the savers put into one PAGE_DATA record. Source: xg_save_restore.h, MAX_BATCH_SIZE. */
export const PAGE_BATCH_MAX = 1024

/** Longest body that is held in memory at once, in bytes; the libxl stream itself knows no limit. */
export const HOLD_MAX = 128 * 1024 * 1024

/** Most pages of one legacy batch. Source: xg_save_restore.h before 4.6, MAX_BATCH_SIZE. */
export const LEGACY_BATCH_MAX = 1024

/** Highest vCPU number that the legacy bitmap may announce. Source: convert-legacy-stream. */
export const LEGACY_VCPU_MAX = 4095

/** Bytes to the next record boundary. */
export const paddingOf = (length: number): number => (RECORD_ALIGNMENT - (length % RECORD_ALIGNMENT)) % RECORD_ALIGNMENT
