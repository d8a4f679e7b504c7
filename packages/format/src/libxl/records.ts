// The codec of every libxl record.
export { checkpointState } from './checkpoint-state.ts'
export { emulatorContext } from './emulator-context.ts'
export { emulatorXenstoreData } from './emulator-xenstore-data.ts'
export { checkpointEnd, libxcContext, libxlEnd as end } from './empty-records.ts'
