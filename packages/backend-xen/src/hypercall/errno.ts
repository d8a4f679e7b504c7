/** Error numbers that Xen and the kernel give. Source: public/errno.h, the same as Linux on x86. */
export const ERRNO = {
  EPERM: 1, ENOENT: 2, ESRCH: 3, EIO: 5, E2BIG: 7, EAGAIN: 11, ENOMEM: 12, EACCES: 13, EFAULT: 14, EBUSY: 16, EEXIST: 17, EINVAL: 22, ERANGE: 34, ENOSYS: 38,
  ENODATA: 61, EOPNOTSUPP: 95, ENOBUFS: 105,
} as const

const names = new Map<number, string>(Object.entries(ERRNO).map(([name, number]) => [number, name]))

/** Name of an error number: `EINVAL`. */
export const errnoName = (errno: number): string => names.get(errno) ?? `errno ${errno}`
