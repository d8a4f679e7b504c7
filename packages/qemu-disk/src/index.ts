export { QemuDiskError, qemuDiskCodes, type QemuDiskErrorCode } from './qemu-disk-error.ts'
export type { QmpCommands } from './qmp-commands.ts'
export { primaryDisks, replicaDisks, secondaryDisks, type DiskOptions, type NbdAddress } from './sides.ts'
