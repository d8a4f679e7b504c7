export { exitCodes, type ExitCode } from './exit-codes.ts'
export { createProgram } from './program.ts'
export { exitCodeOf, renderError } from './render-error.ts'
