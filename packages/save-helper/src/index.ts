export { HelperError, helperCodes, type HelperErrorCode } from './helper-error.ts'
export type { HelperHost } from './helper-host.ts'
export { runProgram } from './program.ts'
// For who plays libxl: tests, recordings.
export { decodeMessage, encodeMessage, messages, type ArgumentsOf, type Message, type MessageName, type Question } from './protocol/message.ts'
