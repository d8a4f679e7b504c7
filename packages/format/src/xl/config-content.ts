/** A disk as the configuration names it. */
export interface DiskSummary {
  readonly vdev: string | undefined
  readonly path: string | undefined
  readonly backend: string | undefined
  readonly format: string | undefined
  readonly writable: boolean | undefined
}

/** A network interface as the configuration names it. */
export interface NicSummary {
  readonly mac: string | undefined
  readonly bridge: string | undefined
  readonly model: string | undefined
}

/** What a domain's configuration says of it; whatever is missing or of another kind than expected is undefined or left out. */
export interface ConfigContent {
  readonly name: string | undefined
  readonly uuid: string | undefined
  readonly type: 'pv' | 'pvh' | 'hvm' | undefined
  /** Bytes to start with, and at most. */
  readonly targetMemory: number | undefined
  readonly maxMemory: number | undefined
  /** vCPUs to start with, and at most. */
  readonly vcpus: number | undefined
  readonly maxVcpus: number | undefined
  readonly kernel: string | undefined
  readonly ramdisk: string | undefined
  readonly cmdline: string | undefined
  readonly bootloader: string | undefined
  readonly firmware: string | undefined
  readonly onReboot: string | undefined
  readonly onCrash: string | undefined
  readonly disks: readonly DiskSummary[]
  readonly nics: readonly NicSummary[]
  /** Lists of other devices by name, with their length. */
  readonly others: Readonly<Record<string, number>>
}

/** `pv`, `pvh` or `hvm`, whatever the case; anything else is undefined. */
export function domainType(text: string | undefined): ConfigContent['type'] {
  const type = text?.toLowerCase()
  return type === 'pv' || type === 'pvh' || type === 'hvm' ? type : undefined
}
