export { colo, coloPlugin } from './colo.ts'
export { comparedBy, coloOptions } from './options.ts'
export { primaryTable } from './primary.ts'
export { secondaryTable } from './secondary.ts'
