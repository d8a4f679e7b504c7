// A whole HVM guest in one disk sector: it counts, and writes the count all over 64 pages, for as long as it runs.

/** The pages it keeps writing start here (physical address), one count in each; the newest count is at `counterAt`. */
export const counterAt = 0x9000

/** 16-bit x86 code, loaded by the BIOS at 0x7c00. */
const code = [
  [0xfa, 'cli'],
  [0x31, 0xc0, 'xor ax, ax'],
  [0x8e, 0xd8, 'mov ds, ax'],
  [0x8e, 0xd0, 'mov ss, ax'],
  [0xbc, 0x00, 0x7c, 'mov sp, 0x7c00'],
  [0x66, 0x31, 0xdb, 'xor ebx, ebx            ; the count'],
  // next:
  [0x66, 0x43, 'inc ebx'],
  [0x66, 0x89, 0x1e, 0x00, 0x90, 'mov [0x9000], ebx'],
  [0x89, 0xd8, 'mov ax, bx'],
  [0x83, 0xe0, 0x3f, 'and ax, 63              ; which of the 64 pages'],
  [0xc1, 0xe0, 0x08, 'shl ax, 8               ; a page is 256 paragraphs'],
  [0x05, 0x00, 0x10, 'add ax, 0x1000          ; from 0x10000 on'],
  [0x8e, 0xc0, 'mov es, ax'],
  [0x66, 0x26, 0x89, 0x1e, 0x00, 0x00, 'mov es:[0], ebx'],
  [0xb9, 0xc8, 0x00, 'mov cx, 200'],
  // rest:
  [0xf3, 0x90, 'pause'],
  [0xe2, 0xfc, 'loop rest'],
  [0xeb, 0xdd, 'jmp next'],
]

/** A disk of 1 MiB that starts with the guest. */
export function bootDisk() {
  const disk = Buffer.alloc(1 << 20)
  Buffer.from(code.flatMap((line) => line.slice(0, -1))).copy(disk)
  disk.writeUInt16LE(0xaa55, 510)
  return disk
}
