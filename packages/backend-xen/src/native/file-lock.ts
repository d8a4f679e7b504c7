import { ERRNO } from '../hypercall/errno.ts'
import { refused } from '../hypercall/refused.ts'
import { writeStruct, type Layout } from '../hypercall/struct.ts'
import type { Koffi } from './libraries.ts'

/** Source: Linux, struct flock on x86-64; F_SETLK, F_WRLCK. */
const flock = { size: 32, fields: { type: [0, 'u16'], whence: [2, 'u16'], start: [8, 'u64'], length: [16, 'u64'], pid: [24, 'u32'] } } as const satisfies Layout
const F_SETLK = 6
const F_WRLCK = 1

/** Locks the first byte of a file against other processes, for as long as it is open. @returns false when somebody else has it. */
export function lockFirstByte(koffi: Koffi, fd: number): boolean {
  const fcntl = koffi.load('libc.so.6').func('int fcntl(int fd, int cmd, void *arg)') as (fd: number, cmd: number, arg: Uint8Array) => number
  const lock = new Uint8Array(flock.size)
  writeStruct(flock, lock, 0, { type: F_WRLCK, length: 1n })
  if (fcntl(fd, F_SETLK, lock) === 0) return true
  const errno = koffi.errno()
  if (errno === ERRNO.EAGAIN || errno === ERRNO.EACCES) return false
  throw refused('BACKEND_HOST', 'a file cannot be locked', errno)
}
