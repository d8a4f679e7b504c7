export { FormatError, type FormatErrorCode } from './format-error.ts'
