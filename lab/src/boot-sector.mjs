// A whole HVM guest in one disk sector: at each tick of the BIOS's clock, 18 a second, it counts and writes the count into 64 pages.

/** 16-bit x86 code, loaded by the BIOS at 0x7c00. The count is at 0x9000, the pages are those from 0x10000 on. */
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
  [0xf6, 0xc3, 0x3f, 'test bl, 63'],
  [0x75, 0xe1, 'jnz next'],
  [0xfb, 'sti'],
  [0xf4, 'hlt                      ; until the next tick'],
  [0xeb, 0xdd, 'jmp next'],
]

/** A disk of 1 MiB that starts with the guest. */
export function bootDisk() {
  const disk = Buffer.alloc(1 << 20)
  Buffer.from(code.flatMap((line) => line.slice(0, -1))).copy(disk)
  disk.writeUInt16LE(0xaa55, 510)
  return disk
}
