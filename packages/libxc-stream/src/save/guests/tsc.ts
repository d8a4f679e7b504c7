import { x86TscInfo } from '@xen-replication/format'
import type { CpuState } from '@xen-replication/hypervisor'
import { recordParts } from '../record-parts.ts'

/** The record of the guest's time stamp counter, first of every tail. */
export const tscRecord = async (cpu: CpuState): Promise<Uint8Array[]> => recordParts(x86TscInfo.type, x86TscInfo.encode(await cpu.tsc()))
