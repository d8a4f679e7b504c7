import type { AnyObservedEvent } from '@xen-replication/plugin-api'
import { describe, expect, it } from 'vitest'
import { protectionRemarks } from '../../src/domains/protection-remarks.ts'
import { xr } from '../run-xr.ts'

type Told = readonly (readonly [kind: string, data: object])[]

function remarksOn(told: Told): readonly string[] {
  const said: string[] = []
  const see = protectionRemarks((text) => said.push(text))
  for (const [kind, data] of told) see({ kind, at: 0, operation: 'op', data } as AnyObservedEvent)
  return said
}

const announced = (guest: string): Told[number] => ['guest.announced', { guest, kind: 'pv', memoryBytes: undefined }]
const moved = (role: string, event: string): Told[number] => ['strategy.move', { role, from: 'x', event, to: 'y' }]

describe('what is said of a protection on its two hosts', () => {
  it('the primary: once that it is protected, once that nobody can say who may run it, and that it may go on', () =>
    expect(remarksOn([announced('demo'), ['epoch.acknowledged', { epoch: 0 }], ['epoch.acknowledged', { epoch: 1 }], moved('primary', 'peer-lost'), moved('primary', 'unknown'), moved('primary', 'again'), moved('primary', 'unknown'), moved('primary', 'won')])).toEqual([
      'demo is protected',
      'nobody can say which side may run demo, so it stands still here; asking again. `xr failover` lets it run here, `xr abort` leaves it paused',
      'demo may go on here',
    ]))

  it('the backup: once that a whole copy is held, and that it takes over', () =>
    expect(remarksOn([announced('web'), announced('db'), moved('secondary', 'begin'), moved('secondary', 'checkpoint-read'), moved('secondary', 'checkpoint-read'), moved('secondary', 'peer-lost'), moved('secondary', 'won')])).toEqual([
      'a whole copy of web db is held here; it does not run',
      'web db may run here, taking over',
    ]))

  it('the backup that must not take over by itself says how to', () =>
    expect(remarksOn([announced('demo'), moved('secondary', 'checkpoint-read'), moved('secondary', 'unknown')]).at(-1)).toContain('`xr failover` lets it run here, `xr abort` drops the copy'))
})

describe('words in the wrong order', () => {
  it.each([[['tcp://backup:9000', 'demo'], 'xr remus demo tcp://backup:9000'], [['web', 'tcp://backup:9000', 'db'], 'xr remus web db tcp://backup:9000']])('are put right in the hint: %s', async (words, right) =>
    expect(await xr(['remus', ...words])).toMatchObject({ exit: 2, stderr: `xr: CLI_USAGE: remus: the URL comes last, behind the guests\nhint: ${right}\n` }))
})
