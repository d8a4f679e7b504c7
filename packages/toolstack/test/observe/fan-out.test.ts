import type { AnyObservedEvent, Observer } from '@xen-replication/plugin-api'
import { describe, expect, it } from 'vitest'
import { emitterOf, fanOut } from '../../src/observe/fan-out.ts'
import { tellRestore, tellSave } from '../../src/observe/engine-events.ts'

const listening = (): Observer & { readonly seen: AnyObservedEvent[] } => {
  const seen: AnyObservedEvent[] = []
  return { seen, observe: (event) => void seen.push(event), close: () => Promise.resolve() }
}
const throwing: Observer = {
  observe: () => {
    throw new Error('no')
  },
  close: () => Promise.reject(new Error('no')),
}

describe('observers', () => {
  it('are all told, in order, whatever the others do', async () => {
    const [first, last] = [listening(), listening()]
    const all = fanOut([first, throwing, last])
    emitterOf(all, 'op', () => 7)('link.up', { url: 'tcp://a:1' })
    expect(first.seen).toEqual([{ kind: 'link.up', at: 7, operation: 'op', data: { url: 'tcp://a:1' } }])
    expect(last.seen).toEqual(first.seen)
    await all.close()
  })

  it('hear of a save and of a restore under names of their own', () => {
    const observer = listening()
    const { seen } = observer
    const emit = emitterOf(observer, 'op', () => 0)
    const save = tellSave(emit, () => 0)
    const common = { pass: 'live', round: 0, expected: 1 } as const
    save({ type: 'pass-begin', ...common })
    save({ type: 'pages', ...common, sent: 1, bytes: 4096 })
    save({ type: 'pass-end', ...common, sent: 1, deferred: 0, bytes: 4096 })
    save({ type: 'dirty', round: 1, pages: 3 })
    save({ type: 'dirty', round: 2, pages: 3 })
    save({ type: 'trouble', what: 'log-dirty-off', error: 'x' })
    const restore = tellRestore(emit)
    restore({ type: 'verify-begin' })
    restore({ type: 'pages', entries: 2, contents: 1, bytes: 5000 })
    restore({ type: 'checkpoint', epoch: 3, bytes: 9 })
    expect(seen.map(({ kind }) => kind)).toEqual(['save.pass-begin', 'save.pages', 'save.pass-end', 'save.dirty', 'save.outlook', 'save.dirty', 'save.outlook', 'save.trouble', 'restore.pages', 'restore.checkpoint'])
    expect(seen.at(-2)?.data).toEqual({ pages: 1, bytes: 5000 })
  })
})
