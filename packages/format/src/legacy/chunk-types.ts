/** Guest kinds. A legacy stream does not record which one it holds. */
export type LegacyGuest = 'pv' | 'hvm'
/** Bits in an unsigned long of the toolstack that saved; many fields have this size. */
export type LegacyWidth = 32 | 64

/** Chunk types of the legacy body that are not HVM parameters. Source: xg_save_restore.h before Xen 4.6, XC_SAVE_ID_*. */
export const CHUNK = {
  END: 0,
  ENABLE_VERIFY_MODE: -1,
  VCPU_INFO: -2,
  TMEM: -5,
  TMEM_EXTRA: -6,
  TSC_INFO: -7,
  LAST_CHECKPOINT: -9,
  COMPRESSED_DATA: -12,
  ENABLE_COMPRESSION: -13,
  TOOLSTACK: -18,
} as const

/** An HVM parameter that has a chunk of its own. */
export interface HvmParamChunk {
  readonly name: string
  /** Number of the parameter, HVM_PARAM_*. */
  readonly param: number
}

const hvmParamChunks = new Map<number, HvmParamChunk>([
  [-3, { name: 'HVM_IDENT_PT', param: 12 }],
  [-4, { name: 'HVM_VM86_TSS', param: 15 }],
  [-8, { name: 'HVM_CONSOLE_PFN', param: 17 }],
  [-10, { name: 'HVM_ACPI_IOPORTS_LOCATION', param: 19 }],
  [-11, { name: 'HVM_VIRIDIAN', param: 9 }],
  [-14, { name: 'HVM_GENERATION_ID_ADDR', param: 34 }],
  [-15, { name: 'HVM_PAGING_RING_PFN', param: 27 }],
  [-16, { name: 'HVM_MONITOR_RING_PFN', param: 28 }],
  [-17, { name: 'HVM_SHARING_RING_PFN', param: 29 }],
  [-19, { name: 'HVM_IOREQ_SERVER_PFN', param: 32 }],
  [-20, { name: 'HVM_NR_IOREQ_SERVER_PAGES', param: 33 }],
])

/** The HVM parameter that a chunk type stands for, or undefined. */
export const hvmParamChunk = (type: number): HvmParamChunk | undefined => hvmParamChunks.get(type)

const names = new Map<number, string>(Object.entries(CHUNK).map(([name, type]) => [type, name]))

/** Name of a chunk type: `BATCH` for the positive ones, undefined for a type that never existed. */
export const legacyChunkName = (type: number): string | undefined =>
  type > 0 ? 'BATCH' : (names.get(type) ?? hvmParamChunks.get(type)?.name)

/** Lowest chunk type that exists. */
export const CHUNK_MIN = -20

/** HVM parameters of the three frame numbers in the tail. Source: xen/include/public/hvm/params.h. */
export const TAIL_PARAM = { STORE_PFN: 1, IOREQ_PFN: 5, BUFIOREQ_PFN: 6 } as const

/** Bytes of a QEMU record's signature. */
export const QEMU_SIGNATURE_SIZE = 21

/**
 * Signatures of the QEMU record. The first two are followed by a 32-bit length; the last one by data up to the
 * end of the stream.
 */
export const QEMU_SIGNATURE = {
  PLAIN: 'DeviceModelRecord0002',
  REMUS: 'RemusDeviceModelState',
  TO_END: 'QemuDeviceModelRecord',
} as const
export type QemuSignature = (typeof QEMU_SIGNATURE)[keyof typeof QEMU_SIGNATURE]

/** Bytes of an extended vCPU blob in the PV tail. */
export const EXTENDED_VCPU_SIZE = 128

/** What the size of the `vcpu` block says of a PV guest: bytes of its words and levels of its page tables. */
export const VCPU_CONTEXT = new Map<number, { readonly width: 4 | 8; readonly levels: 3 | 4 }>([
  [0x1430, { width: 8, levels: 4 }],
  [0xaf0, { width: 4, levels: 3 }],
])
