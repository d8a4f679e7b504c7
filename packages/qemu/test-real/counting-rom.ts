import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * An option ROM that never gives the machine back: it counts. Each round it writes the count into 16 of the 64 pages from 0x20000 on, in turn,
 * prints it in hexadecimal on the first serial port, a line a count, and waits for 60 million ticks of the time stamp counter.
 * The listing is that of `counting-rom.S`.
 */
const CODE =
  '55aa01eb170000000000000000000000000000000000000000000000fafc6631ed31ffb9100089f8c1e0080500208ed866892e000066892efc074783e73fe2e6' +
  'baf803b908006689eb66c1c30488d8240f049027144027eee2efb00aee66450f316605008793036689c6f3900f316629f078f7ebae'
const ROM_BYTES = 512

/** Bytes of memory that are the same as in the block of RAM: 0 to 640 KiB. */
export const LOW_MEMORY = 0xa0000

/** Writes the ROM. @returns its path */
export function countingRom(folder: string): string {
  const rom = Buffer.alloc(ROM_BYTES)
  rom.write(CODE, 'hex')
  rom[ROM_BYTES - 1] = -rom.reduce((sum, byte) => sum + byte, 0) & 0xff // a ROM's bytes add up to a multiple of 256
  const path = join(folder, 'counting.rom')
  writeFileSync(path, rom)
  return path
}
