// Save.
export { openImageSaver, type ImageSaver, type SaveOptions } from './save/image-saver.ts'
export { precopyAsXen, type PrecopyDecision, type PrecopyPolicy, type PrecopyState } from './save/precopy-policy.ts'
export { SaveError, saveCodes, type SaveErrorCode } from './save/save-error.ts'
export type { PassName, SaveEvent, SaveObserver } from './save/save-event.ts'
export { StagedSink, type StagedSinkOptions } from './save/staged-sink.ts'

// Restore.
export { HELD_BYTES_MAX, openImageRestorer, type Dropped, type ImageRestorer, type RestoreOptions, type Segment } from './restore/image-restorer.ts'
export type { RingFrames } from './restore/guests/guest-target.ts'
export { restoreImage } from './restore/restore-image.ts'
export { outOfOrder, refused, RestoreError, restoreCodes, type RestoreErrorCode, type StreamPlace } from './restore/restore-error.ts'
export type { RestoreEvent, RestoreObserver } from './restore/restore-event.ts'
// For the layer around an image, which reads the same stream in turns with it.
export { readBody, readHead, recordName, recordSize, skipBody, type RecordHead } from './restore/record-head.ts'
export { StreamFeed, type Cut, type FeedOptions } from './restore/stream-feed.ts'
