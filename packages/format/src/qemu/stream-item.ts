import type { RamCount } from './ram-payload.ts'
import type { SectionKind } from './stream-codes.ts'

/** A section: memory, or the state of one device. */
export interface QemuSection {
  readonly kind: 'section'
  readonly offset: number
  /** With its head and its footer, in bytes. */
  readonly length: number
  readonly section: SectionKind
  readonly id: number
  readonly name: string
  readonly instance: number
  readonly version: number
  /** Of memory: what this section held of it. */
  readonly ram: RamCount | undefined
  /** Of a device: its state. */
  readonly body: Uint8Array | undefined
}

/** A piece of a migration stream. */
export type QemuItem =
  | { readonly kind: 'header'; readonly offset: number; readonly version: number }
  | { readonly kind: 'configuration'; readonly offset: number; readonly length: number; readonly machine: string }
  | { readonly kind: 'subsection'; readonly offset: number; readonly length: number; readonly name: string; readonly version: number }
  | { readonly kind: 'command'; readonly offset: number; readonly command: number; readonly name: string | undefined; readonly payload: Uint8Array }
  | QemuSection
  /** All sections were there. */
  | { readonly kind: 'end'; readonly offset: number }
  /** For tools: what the bodies of devices hold, as JSON. */
  | { readonly kind: 'description'; readonly offset: number; readonly length: number; readonly json: Uint8Array }
