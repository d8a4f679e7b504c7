export { openQmp, type Qmp, type QmpEvent, type QmpOptions } from './qmp-client.ts'
export { QmpError, qmpCodes, type QmpErrorCode } from './qmp-error.ts'
