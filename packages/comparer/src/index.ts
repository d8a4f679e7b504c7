export { packetComparer, type ComparerCounts, type PacketComparer } from './comparer.ts'
export type { ComparerOptions } from './options.ts'
