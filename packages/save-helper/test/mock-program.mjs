// The helper as a program, as built, on a simulated host in a directory: MOCK_HOST. MOCK_TARGET tells the name of a guest to restore as.
import { openMockHost } from '@xen-replication/backend-mock'
import { runProgram } from '@xen-replication/save-helper'

async function openHost() {
  const mock = await openMockHost(process.env.MOCK_HOST)
  return {
    openForSave: (domId) => mock.openForSave(domId),
    openForRestore: (domId) => mock.openForRestore({ kind: process.env.MOCK_KIND, name: process.env.MOCK_TARGET, config: '{}' }),
    close: () => mock.close(),
  }
}

process.exit(await runProgram(openHost, () => '1.2.3'))
