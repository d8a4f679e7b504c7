import { describe, expect, it } from 'vitest'
import { bench, until } from './real-qemu.ts'
import { goesOn, waiting } from './replay-rig.ts'
import { checkpoints, xr } from './xr.ts'

describe('a recorded primary, played to a real secondary', () => {
  it('is followed for thirty checkpoints, and the guest goes on from the last one', async () => {
    const { secondary, capture, link } = await waiting(bench())
    const replay = xr(['qemu-replay', '-v', capture, `unix:${link}`, '--checkpoints', '30', '-i', '20ms'])
    expect(await replay.end, replay.said()).toBe(0)
    expect(checkpoints(replay)).toBe(30)
    await goesOn(secondary)
  })

  it('is given up when the secondary stands still', async () => {
    const { secondary, capture, link } = await waiting(bench())
    const replay = xr(['qemu-replay', '-v', capture, `unix:${link}`, '--checkpoints', '1000', '-i', '20ms', '--answer-timeout', '4s'])
    await until('checkpoints come', () => checkpoints(replay) > 2)
    secondary.process.kill('SIGSTOP')
    expect(await replay.end).not.toBe(0)
    expect(replay.said()).toContain('LINK_TIMEOUT: the secondary said nothing for 4000 ms')
  })
})
