import type { CheckpointDevice } from '@xen-replication/hypervisor'
import type { Network } from './network.mjs'

export function checks(hold: (network: Network) => CheckpointDevice): readonly { readonly name: string; readonly run: () => Promise<void> }[]
