// Read.
export { readStream, type ReadStreamOptions } from './read/read-stream.ts'
export { openStreamRestorer, type StreamLoss, type StreamRestoreOptions, type StreamRestorer, type StreamStop } from './read/stream-restorer.ts'
export { StreamError, streamCodes, type StreamErrorCode } from './stream-error.ts'
