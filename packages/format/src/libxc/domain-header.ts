import { reserved, u16, u32 } from '../bytes/field.ts'
import { struct, type StructOf } from '../bytes/struct.ts'
import { structCodec } from '../frame/codec.ts'

/** The 16 bytes after the image header. Source: libxc-migration-stream, "Domain Header". */
export const domainHeader = struct(16, { type: u32, pageShift: u16, _res: reserved(2), xenMajor: u32, xenMinor: u32 })
export type DomainHeader = StructOf<typeof domainHeader>

export const domainHeaderCodec = structCodec('domain header', domainHeader)

/** `type` of the domain header. A PVH guest is `HVM`. */
export const DOMAIN = { PV: 1, HVM: 2 } as const

/** The two kinds of guest that an image knows. A PVH guest is `hvm`. */
export type GuestKind = 'pv' | 'hvm'

/** Undefined for a type that the specification does not have. */
export const guestKind = (type: number): GuestKind | undefined => (type === DOMAIN.PV ? 'pv' : type === DOMAIN.HVM ? 'hvm' : undefined)

/** An image made by the converter from the legacy format has Xen version 0; `xenMinor` is the converter's version then. */
export const isConverted = (header: DomainHeader): boolean => header.xenMajor === 0
