// Save.
export { openImageSaver, type ImageSaver, type SaveOptions } from './save/image-saver.ts'
export { precopyAsXen, type PrecopyDecision, type PrecopyPolicy, type PrecopyState } from './save/precopy-policy.ts'
export { SaveError, saveCodes, type SaveErrorCode } from './save/save-error.ts'
export type { PassName, SaveEvent, SaveObserver } from './save/save-event.ts'
export { StagedSink, type StagedSinkOptions } from './save/staged-sink.ts'

// Restore.
