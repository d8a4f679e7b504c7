import type { DomId } from '@xen-replication/hypervisor'
import assert from 'node:assert/strict'
import { check, failsWith, type Case } from '../case.ts'
import type { BackendBench } from './backend-bench.ts'

const NOBODY = 0x7ff0 as DomId

/** What a host says of its guests. */
export const hostCases: readonly Case<BackendBench>[] = [
  check('the list shows a running guest with what it is', async ({ backend, domId }) => {
    const line = (await backend.list()).find((one) => one.domId === domId)
    assert.ok(line !== undefined, 'the guest is not in the list')
    assert.ok(line.name !== '' && line.uuid !== '' && line.pages > 0 && line.vcpus > 0, 'name, UUID, pages and vCPUs are told')
    assert.deepEqual([line.dying, line.paused, line.shutdown], [false, false, undefined])
    const guest = await backend.openForSave(domId)
    const { kind, width, maxVcpuId, xen } = guest.facts
    await guest.close()
    assert.deepEqual([kind, width, maxVcpuId, xen], [line.kind, line.width, line.maxVcpuId, line.xen], 'list() and openForSave() tell the same facts')
    assert.equal(line.width === undefined || line.kind === 'pv' || line.width === 8, true)
  }),
  check('a guest that does not exist is refused as such', async ({ backend }) => {
    const code = ['BACKEND_NO_SUCH_DOMAIN']
    await failsWith(() => backend.openForSave(NOBODY), code, 'openForSave()')
    await failsWith(() => backend.config(NOBODY), code, 'config()')
    await failsWith(() => backend.rename(NOBODY, 'x'), code, 'rename()')
    await failsWith(() => backend.lifecycle(NOBODY).state(), code, 'lifecycle().state()')
  }),
  check('the configuration of a guest is JSON', async ({ backend, domId }) => {
    assert.equal(typeof JSON.parse(await backend.config(domId)), 'object')
  }),
  check('a guest goes by its new name once it is renamed', async ({ backend, domId }) => {
    await backend.rename(domId, 'renamed')
    assert.equal((await backend.list()).find((one) => one.domId === domId)?.name, 'renamed')
  }),
  check('two guests cannot have one name', async (bench) => {
    const { backend, domId } = bench
    const name = (await backend.list()).find((one) => one.domId === domId)?.name ?? ''
    await failsWith(() => backend.openForRestore(bench.request(name)), ['BACKEND_NAME_TAKEN'], 'openForRestore() with the name of another')
    const other = await backend.openForRestore(bench.request('incoming'))
    try {
      await failsWith(() => backend.rename(other.facts.domId, name), ['BACKEND_NAME_TAKEN'], 'rename() to the name of another')
    } finally {
      await other.close()
    }
  }),
  check('making guests works where it is said to, and is refused elsewhere', async ({ backend }) => {
    const request = { name: 'made', kind: 'pvh', settings: {} } as const
    if (!backend.capabilities.has('create')) return failsWith(() => backend.create(request), ['BACKEND_UNSUPPORTED'], 'create()')
    const domId = await backend.create(request)
    assert.equal((await backend.list()).find((one) => one.domId === domId)?.name, 'made')
    await backend.lifecycle(domId).destroy()
    await failsWith(() => backend.create({ ...request, settings: { 'no such setting': '1' } }), ['BACKEND_UNSUPPORTED', 'BACKEND_STATE', 'BACKEND_HOST'], 'a setting that the host does not know')
  }),
  check('time only moves forward', async ({ backend: { clock }, work }) => {
    const before = clock.now()
    await work()
    const later = clock.now()
    assert.ok(later >= before && Number.isFinite(later))
    await assert.rejects(clock.sleep(60_000, AbortSignal.abort(new Error('called off'))), { message: 'called off' })
  }),
]
