// Write.
export { openStreamWriter, type StreamWriter } from './write/stream-writer.ts'
export { writeStream, type WriteStreamOptions } from './write/write-stream.ts'

// Read.
export { readStream, type ReadStreamOptions } from './read/read-stream.ts'
export { openStreamRestorer, type StreamLoss, type StreamRestoreOptions, type StreamRestorer, type StreamStop } from './read/stream-restorer.ts'

// COLO's channel back from the secondary.
export { BackChannel, openBackChannelWriter, type BackChannelWriter, type SecondaryState } from './back-channel.ts'

export { StreamError, streamCodes, type StreamErrorCode } from './stream-error.ts'
