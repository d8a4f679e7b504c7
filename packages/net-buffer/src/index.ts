export { netBuffer, type NetBufferOptions } from './net-buffer.ts'
export { netBufferCodes, NetBufferError, type NetBufferErrorCode } from './net-buffer-error.ts'
export { runProgram, type Ran, type Run } from './run-program.ts'
