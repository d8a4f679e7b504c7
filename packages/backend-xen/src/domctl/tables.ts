import type { Layout } from '../hypercall/struct.ts'

/** A domctl: its number and the form of its part of the union. */
interface DomctlCommand {
  readonly number: number
  readonly layout: Layout
}

const none = { size: 0, fields: {} } as const
const addressed = { size: 8, fields: { size: [0, 'u32'] } } as const

/**
 * Commands of interface versions 0x15 to 0x18, which differ in parts that are not used here. Offsets are those within the union.
 * Source: public/domctl.h for x86-64 callers.
 */
const commands = {
  pause: { number: 3, layout: none },
  unpause: { number: 4, layout: none },
  info: {
    number: 5,
    layout: {
      size: 112,
      fields: {
        domain: [0, 'u16'], flags: [4, 'u32'], pages: [8, 'u64'], maxPages: [16, 'u64'], outstanding: [24, 'u64'], shared: [32, 'u64'], paged: [40, 'u64'],
        sharedInfoFrame: [48, 'u64'], cpuTime: [56, 'u64'], onlineVcpus: [64, 'u32'], maxVcpuId: [68, 'u32'], ssidref: [72, 'u32'],
        handle0: [76, 'u32'], handle1: [80, 'u32'], handle2: [84, 'u32'], handle3: [88, 'u32'], cpupool: [92, 'u32'], addressBits: [96, 'u8'], emulation: [104, 'u32'],
        misc: [108, 'u32'],
      },
    },
  },
  shadowOp: {
    number: 10,
    layout: { size: 40, fields: { op: [0, 'u32'], mode: [4, 'u32'], mb: [8, 'u32'], bitmap: [16, 'u64'], pages: [24, 'u64'], faults: [32, 'u32'], dirty: [36, 'u32'] } },
  },
  setVcpuContext: { number: 12, layout: { size: 16, fields: { vcpu: [0, 'u32'], context: [8, 'u64'] } } },
  getVcpuContext: { number: 13, layout: { size: 16, fields: { vcpu: [0, 'u32'], context: [8, 'u64'] } } },
  vcpuInfo: { number: 14, layout: { size: 24, fields: { vcpu: [0, 'u32'], online: [4, 'u8'], blocked: [5, 'u8'], running: [6, 'u8'], cpuTime: [8, 'u64'], cpu: [16, 'u32'] } } },
  resume: { number: 27, layout: none },
  subscribe: { number: 29, layout: { size: 8, fields: { port: [0, 'u32'] } } },
  getHvmContext: { number: 33, layout: { size: 16, fields: { size: [0, 'u32'], buffer: [8, 'u64'] } } },
  setHvmContext: { number: 34, layout: { size: 16, fields: { size: [0, 'u32'], buffer: [8, 'u64'] } } },
  setAddressSize: { number: 35, layout: addressed },
  getAddressSize: { number: 36, layout: addressed },
  setExtended: { number: 42, layout: { size: 64, fields: { vcpu: [0, 'u32'], size: [4, 'u32'] } } },
  getExtended: { number: 43, layout: { size: 64, fields: { vcpu: [0, 'u32'], size: [4, 'u32'] } } },
  getTsc: { number: 59, layout: { size: 24, fields: { mode: [0, 'u32'], khz: [4, 'u32'], incarnation: [8, 'u32'], nsec: [16, 'u64'] } } },
  setTsc: { number: 60, layout: { size: 24, fields: { mode: [0, 'u32'], khz: [4, 'u32'], incarnation: [8, 'u32'], nsec: [16, 'u64'] } } },
  pageInfo: { number: 61, layout: { size: 16, fields: { count: [0, 'u64'], array: [8, 'u64'] } } },
  setXsave: { number: 62, layout: { size: 32, fields: { vcpu: [0, 'u32'], mask: [8, 'u64'], size: [16, 'u64'], buffer: [24, 'u64'] } } },
  getXsave: { number: 63, layout: { size: 32, fields: { vcpu: [0, 'u32'], mask: [8, 'u64'], size: [16, 'u64'], buffer: [24, 'u64'] } } },
  getMsrs: { number: 72, layout: { size: 16, fields: { vcpu: [0, 'u32'], count: [4, 'u32'], msrs: [8, 'u64'] } } },
  setMsrs: { number: 73, layout: { size: 16, fields: { vcpu: [0, 'u32'], count: [4, 'u32'], msrs: [8, 'u64'] } } },
  getPolicy: {
    number: 82,
    layout: { size: 40, fields: { leaves: [0, 'u32'], msrs: [4, 'u32'], leafArray: [8, 'u64'], msrArray: [16, 'u64'], badLeaf: [24, 'u32'], badSubleaf: [28, 'u32'], badMsr: [32, 'u32'] } },
  },
  setPolicy: {
    number: 83,
    layout: { size: 40, fields: { leaves: [0, 'u32'], msrs: [4, 'u32'], leafArray: [8, 'u64'], msrArray: [16, 'u64'], badLeaf: [24, 'u32'], badSubleaf: [28, 'u32'], badMsr: [32, 'u32'] } },
  },
} as const satisfies Readonly<Record<string, DomctlCommand>>

export type DomctlCommands = typeof commands

/** What is known of one interface version. */
export interface DomctlTable {
  /** Releases of Xen that have it. */
  readonly xen: string
  readonly commands: DomctlCommands
  /** What getdomaininfo says of a number nobody has: the next domain above it, or an error. */
  readonly absent: 'next-domain' | 'error'
}

/** Versions in the order in which they are tried. */
export const domctlTables: ReadonlyMap<number, DomctlTable> = new Map<number, DomctlTable>([
  [0x15, { xen: '4.16 and 4.17', commands, absent: 'next-domain' }],
  [0x16, { xen: '4.18', commands, absent: 'error' }],
  [0x17, { xen: '4.19', commands, absent: 'error' }],
  [0x18, { xen: '4.20 and later', commands, absent: 'error' }],
])

/** The structure around the union. Source: public/domctl.h struct xen_domctl. */
export const domctlHead = { size: 16, fields: { cmd: [0, 'u32'], version: [4, 'u32'], domain: [8, 'u16'] } } as const satisfies Layout

/** Size of the whole structure in bytes. */
export const DOMCTL_BYTES = 144
