import { packetComparer } from '@xen-replication/comparer'
import { comparatorCases } from '@xen-replication/compliance'
import { describe, it } from 'vitest'

describe('the comparer keeps what every comparator has to', () => {
  for (const one of comparatorCases) it(one.name, () => one.run(() => Promise.resolve({ comparator: packetComparer(), close: () => Promise.resolve() })))
})
