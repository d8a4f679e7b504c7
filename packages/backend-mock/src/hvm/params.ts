import { HVM_PAGES } from './layout.ts'

/** Parameters by number. Source: public hvm/params.h. */
export const PARAM = {
  CALLBACK_IRQ: 0, STORE_PFN: 1, STORE_EVTCHN: 2, PAE_ENABLED: 4, IOREQ_PFN: 5, BUFIOREQ_PFN: 6, VIRIDIAN: 9, IDENT_PT: 12, ACPI_S_STATE: 14, CONSOLE_PFN: 17, CONSOLE_EVTCHN: 18,
  ACPI_IOPORTS: 19, BUFIOREQ_EVTCHN: 26, PAGING_RING_PFN: 27, MONITOR_RING_PFN: 28, SHARING_RING_PFN: 29, IOREQ_SERVER_PFN: 32, NR_IOREQ_SERVER_PAGES: 33,
  VM_GENERATION_ID: 34, X87_FIP_WIDTH: 36, VM86_TSS_SIZED: 37, MCA_CAP: 38,
} as const

/** Highest number there is. */
const HIGHEST = 38
/** No longer there: Xen refuses them. */
const DEPRECATED: ReadonlySet<number> = new Set([3, 7, 8, 15, 20, 21, 22, 23, 25])
/** Can be set once; the same value again is no change. */
const WRITE_ONCE: ReadonlySet<number> = new Set([5, 6, 9, 32, 33, 38])

/** How PV drivers of a guest are called: by vector 0xf3. */
export const CALLBACK = 0x02000000000000f3n

/** Parameters of a new guest. */
export function createParams(kind: 'pvh' | 'hvm', ports: { readonly store: number; readonly console: number }): Map<number, bigint> {
  const params = new Map<number, bigint>([
    [PARAM.CALLBACK_IRQ, CALLBACK],
    [PARAM.STORE_PFN, BigInt(HVM_PAGES.store)],
    [PARAM.STORE_EVTCHN, BigInt(ports.store)],
    [PARAM.IDENT_PT, BigInt(HVM_PAGES.identityTable * 4096)],
    [PARAM.CONSOLE_PFN, BigInt(HVM_PAGES.console)],
    [PARAM.CONSOLE_EVTCHN, BigInt(ports.console)],
    [PARAM.PAGING_RING_PFN, BigInt(HVM_PAGES.paging)],
    [PARAM.MONITOR_RING_PFN, BigInt(HVM_PAGES.access)],
    [PARAM.SHARING_RING_PFN, BigInt(HVM_PAGES.sharing)],
  ])
  if (kind === 'hvm') {
    params.set(PARAM.IOREQ_PFN, BigInt(HVM_PAGES.io))
    params.set(PARAM.BUFIOREQ_PFN, BigInt(HVM_PAGES.bufferedIo))
    params.set(PARAM.IOREQ_SERVER_PFN, BigInt(HVM_PAGES.ioreqServers))
    params.set(PARAM.NR_IOREQ_SERVER_PAGES, 8n)
    params.set(PARAM.ACPI_IOPORTS, 1n)
    params.set(PARAM.VM_GENERATION_ID, 0xfc00a800n)
  }
  return params
}

/** What Xen would say to a new value; undefined when it is taken. Source: xen/arch/x86/hvm/hvm.c hvm_allow_set_param. */
export function paramFault(index: number, value: bigint, now: bigint | undefined): string | undefined {
  if (!Number.isInteger(index) || index < 0 || index > HIGHEST) return `HVM parameter ${index} is unknown`
  if (DEPRECATED.has(index)) return `HVM parameter ${index} is no longer taken`
  if (WRITE_ONCE.has(index) && now !== undefined && now !== 0n && now !== value) return `HVM parameter ${index} is set already, to ${now}`
  return undefined
}
