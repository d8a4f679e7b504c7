export { openRemoteComparer, type RemoteComparerOptions } from './remote-comparer.ts'
export { ProxyError, proxyCodes, type ProxyErrorCode } from './proxy-error.ts'
export type { VnetWord } from './words.ts'
