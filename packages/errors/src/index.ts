export { isXrError, XrError, type ErrorDetail } from './xr-error.ts'
