import { BackendError } from '@xen-replication/hypervisor'
import type { LibraryHandle } from 'koffi'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** The part of koffi that is used. */
export type Koffi = Pick<typeof import('koffi'), 'load' | 'view' | 'errno' | 'node'>

/** Libraries whose interface Xen keeps, and the packages of Debian and others they come in. */
export const LIBRARIES = {
  xencall: 'libxencall.so.1',
  xenforeignmemory: 'libxenforeignmemory.so.1',
  xenevtchn: 'libxenevtchn.so.1',
} as const

export type LibraryName = keyof typeof LIBRARIES

/**
 * The bridge to native code, loaded when somebody works with a real Xen, and by nobody else. Required and not imported: Node's loader of ES
 * modules takes longer to start than the bridge does, and a save helper is started for every guest.
 *
 * @throws BackendError BACKEND_UNSUPPORTED
 */
export function loadKoffi(): Koffi {
  try {
    return require('koffi') as Koffi
  } catch (cause) {
    throw new BackendError('BACKEND_UNSUPPORTED', 'the package koffi, which calls Xen’s libraries, is not there', { cause, hint: 'npm install koffi@3.3.4, where xr is installed; it is left out with --omit=optional' })
  }
}

/** @throws BackendError BACKEND_UNSUPPORTED when it is not installed. */
export function openLibrary(koffi: Koffi, name: LibraryName): LibraryHandle {
  try {
    return koffi.load(LIBRARIES[name])
  } catch (cause) {
    throw new BackendError('BACKEND_UNSUPPORTED', `${LIBRARIES[name]} of Xen is not there`, { cause, hint: `install Xen's libraries; on Debian: apt install lib${name}1` })
  }
}

/** What a pointer is in JavaScript. */
export type Pointer = bigint

/** A pointer that leads somewhere. */
export const isPointer = (value: unknown): value is Pointer => typeof value === 'bigint' && value !== 0n
