export { cliCodes } from './cli-error.ts'
export { exitCodes, type ExitCode } from './exit-codes.ts'
export { exitCodeOf, renderError } from './render-error.ts'
export { run, type World } from './run.ts'
