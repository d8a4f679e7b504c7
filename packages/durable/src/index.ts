export { codeOf, syncDirectory, writeAll, writeWhole } from './files.ts'
export { lockHolder, tryLock, type Lock } from './lock.ts'
