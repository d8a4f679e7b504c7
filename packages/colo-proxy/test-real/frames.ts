const be16 = (value: number): number[] => [value >>> 8, value & 255]
const bytesOf = (text: string): number[] => [...Buffer.from(text)]
const ethernet = (type: number, rest: readonly number[]): Uint8Array => Uint8Array.from([0x52, 0x54, 0, 0, 0, 1, 0x52, 0x54, 0, 0, 0, 2, ...be16(type), ...rest])
const ipv4 = (protocol: number, ident: number, rest: readonly number[]): Uint8Array =>
  ethernet(0x0800, [0x45, 0, ...be16(20 + rest.length), ...be16(ident), 0, 0, 64, protocol, 0, 0, 10, 9, 0, 2, 10, 9, 0, 1, ...rest])

export const arp = (): Uint8Array => ethernet(0x0806, new Array<number>(28).fill(0))
export const udp = (text: string, ident = 1): Uint8Array => ipv4(17, ident, [...be16(7001), ...be16(40_000), ...be16(8 + text.length), 0, 0, ...bytesOf(text)])
/** A segment that acknowledges as much as any other one. */
export const tcp = (seq: number, text: string): Uint8Array => ipv4(6, 9, [...be16(80), ...be16(50_000), 0, 0, ...be16(seq), 0, 0, 0, 5, 0x50, 0x18, ...be16(1000), 0, 0, 0, 0, ...bytesOf(text)])
