/** What the exit status of `xr` means. Stable; any other number is a failure. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  imageInvalid: 3,
  salvaged: 4,
  peerLost: 5,
  notAllowedByArbiter: 6,
  notSupported: 7,
  interrupted: 8,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]
