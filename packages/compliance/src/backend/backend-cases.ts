import type { GuestKind } from '@xen-replication/hypervisor'
import type { Case } from '../case.ts'
import type { BackendBench } from './backend-bench.ts'
import { dirtyCases } from './dirty-cases.ts'
import { hostCases } from './host-cases.ts'
import { lifecycleCases } from './lifecycle-cases.ts'
import { memoryCases } from './memory-cases.ts'
import { hvmRestoreCases, pvRestoreCases, restoreCases } from './restore-cases.ts'
import { stateCases } from './state-cases.ts'

/** What a backend promises for guests of a kind. Cases about log-dirty mode are left out where the backend cannot do it for them. */
export function backendCases(kind: GuestKind, { logDirty = 'yes' }: { readonly logDirty?: 'yes' | 'no' } = {}): readonly Case<BackendBench>[] {
  return [
    ...hostCases,
    ...memoryCases,
    ...(logDirty === 'yes' ? dirtyCases : []),
    ...lifecycleCases,
    ...stateCases,
    ...restoreCases,
    ...(kind === 'pv' ? pvRestoreCases : hvmRestoreCases),
  ]
}
