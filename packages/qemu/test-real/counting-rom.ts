import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * An option ROM that never gives the machine back: it counts. Each round it writes the count into the 64 pages from 0x20000 on, prints it in
 * hexadecimal on the first serial port, a line a count, and is idle until the timer of the BIOS comes, some 20 ms later.
 * The listing is that of `counting-rom.S`.
 */
const CODE =
  '55aa01eb170000000000000000000000000000000000000000000000fafcb034e64330c0e640b060e6406631ed31ffb9400089f8c1e0080500208ed866892e00' +
  '0066892efc074783e73fe2e6baf803b908006689eb66c1c30488d8240f049027144027eee2efb00aee6645fbf4faebbf'
/** The same, and it sends each count through a virtio-net device in slot 5. The listing is that of `sending-rom.S`. */
const SENDING_CODE =
  '55aa01eb41000000000000000000000000000000000000000000000052540000000152540000000208004500002400000000401100000a0900020a0900011b59' +
  '1b5a00100000fafcb034e64330c0e640b060e640b800708ec08ee031ff31c0b90020f3ab66b804280080e8dc0083c80566ef66b810280080e8ce0083e0fc64a3' +
  '003089c38d571231c0eeb001eeb003ee8d57046631c066ef8d570eb001ef8d570866b87000000066ef8d5712b007ee6466c70600001030070064c60608003c64' +
  'c606001001be1c00bf1a30b92a002ef3a46631ed31ffb9400089f8c1e0080500208ed866892e000066892efc074783e73fe2e6baf803b908006689eb66c1c304' +
  '88d8240f049027144027eee2efb00aee64a10220643b06021075f56466892e44306631c0f7c50f0075020f316466a3483064ff060210648b16003083c210b801' +
  '00ef6645fbf4faeb8dbaf80c66efbafc0c66edc3'
const ROM_BYTES = 512

/** Bytes of memory that are the same as in the block of RAM: 0 to 640 KiB. */
export const LOW_MEMORY = 0xa0000

/** Writes the ROM. @param what it does besides counting @returns its path */
export function countingRom(folder: string, what: 'counts' | 'sends' = 'counts'): string {
  const rom = Buffer.alloc(ROM_BYTES)
  rom.write(what === 'sends' ? SENDING_CODE : CODE, 'hex')
  rom[ROM_BYTES - 1] = -rom.reduce((sum, byte) => sum + byte, 0) & 0xff // a ROM's bytes add up to a multiple of 256
  const path = join(folder, 'counting.rom')
  writeFileSync(path, rom)
  return path
}
