import { closeSync, fdatasync, ftruncateSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import { writeWhole } from '@xen-replication/durable'
import { QemuError } from '../qemu-error.ts'

const PAGE_SIZE = 4096
const ZEROS = new Uint8Array(PAGE_SIZE)
const SUM_OF_ZEROS = crc32(ZEROS)
const dataSync = promisify(fdatasync)

/** All memory of a guest in a file with holes, and a CRC-32 of each page. */
export class MemoryImage {
  readonly #file: number
  readonly #path: string
  readonly #sums: Uint32Array

  private constructor(path: string, file: number, sums: Uint32Array) {
    this.#path = path
    this.#file = file
    this.#sums = sums
  }

  /** An image of zeros. */
  static make(folder: string, pages: number): MemoryImage {
    const path = join(folder, 'memory')
    const file = openSync(path, 'w+', 0o600)
    ftruncateSync(file, pages * PAGE_SIZE)
    return new MemoryImage(path, file, new Uint32Array(pages).fill(SUM_OF_ZEROS))
  }

  /** @throws QemuError QEMU_STORE_DAMAGED when the sums are not those of so many pages */
  static open(folder: string, pages: number, epoch: number, how: 'r' | 'r+'): MemoryImage {
    const bytes = readFileSync(sumsIn(folder, epoch))
    if (bytes.length !== 4 * pages + 4 || crc32(bytes.subarray(0, -4)) !== bytes.readUInt32LE(4 * pages)) throw new QemuError('QEMU_STORE_DAMAGED', `the checksums of the pages in ${folder} are not whole`)
    const sums = Uint32Array.from({ length: pages }, (_, i) => bytes.readUInt32LE(4 * i))
    const path = join(folder, 'memory')
    return new MemoryImage(path, openSync(path, how), sums)
  }

  /** @param bytes undefined for zeros */
  write(page: number, bytes: Uint8Array | undefined): void {
    const sum = bytes === undefined ? SUM_OF_ZEROS : crc32(bytes)
    if (bytes === undefined && this.#sums[page] === SUM_OF_ZEROS) return // stays a hole
    const what = bytes ?? ZEROS
    for (let done = 0; done < PAGE_SIZE; ) done += writeSync(this.#file, what, done, PAGE_SIZE - done, page * PAGE_SIZE + done)
    this.#sums[page] = sum
  }

  /** @returns fresh bytes; undefined for zeros. @throws QemuError QEMU_STORE_DAMAGED */
  read(page: number): Uint8Array | undefined {
    if (this.#sums[page] === SUM_OF_ZEROS) return undefined
    const bytes = new Uint8Array(PAGE_SIZE)
    const got = readSync(this.#file, bytes, 0, PAGE_SIZE, page * PAGE_SIZE)
    if (got === PAGE_SIZE && crc32(bytes) === this.#sums[page]) return bytes
    throw new QemuError('QEMU_STORE_DAMAGED', `page ${page} of ${this.#path} is not what was written`, { offset: page * PAGE_SIZE })
  }

  /** Makes the pages safe, and their sums as those of checkpoint `epoch`. */
  async save(folder: string, epoch: number): Promise<void> {
    await dataSync(this.#file)
    const bytes = Buffer.alloc(4 * this.#sums.length + 4)
    this.#sums.forEach((sum, i) => bytes.writeUInt32LE(sum, 4 * i))
    bytes.writeUInt32LE(crc32(bytes.subarray(0, -4)), 4 * this.#sums.length)
    writeWhole(sumsIn(folder, epoch), bytes)
  }

  close(): void {
    closeSync(this.#file)
  }
}

/** Where the sums of the pages of a checkpoint are. */
export const sumsIn = (folder: string, epoch: number): string => join(folder, `sums.${epoch}`)
