import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bench } from './real-qemu.ts'
import { goesOn, waiting } from './replay-rig.ts'
import { tamperedLink, type Fault } from './tampered-link.ts'
import { checkpoints, xr } from './xr.ts'

describe('a recorded primary, played to a real secondary', () => {
  it.each<[Fault, string]>([
    ['short devices', 'LINK_TIMEOUT'],
    ['cut in memory', 'LINK_LOST'],
    ['cut in devices', 'LINK_LOST'],
    ['silence in memory', 'LINK_TIMEOUT'],
    ['wrong message', 'LINK_TIMEOUT'],
    ['unknown message', 'LINK_TIMEOUT'],
    ['wrong answer', 'REPL_UNEXPECTED_EVENT'],
    ['unknown answer', 'FMT_COLO_MESSAGE'],
    ['cut between two checkpoints', 'LINK_LOST'],
  ])('with %s ends with %s in time, and the guest goes on', async (fault, code) => {
    const rig = bench()
    const { secondary, capture, link } = await waiting(rig)
    const tampered = await tamperedLink(join(rig.folder, 'near'), link, fault)
    const replay = xr(['qemu-replay', '-v', capture, `unix:${join(rig.folder, 'near')}`, '--checkpoints', '5', '-i', '20ms', '--answer-timeout', '4s'])
    expect(await replay.end, replay.said()).not.toBe(0)
    expect(tampered()).toBe(true)
    expect(replay.said()).toContain(`xr: ${code}: `)
    expect(checkpoints(replay)).toBe(1)
    await goesOn(secondary)
  })
})
