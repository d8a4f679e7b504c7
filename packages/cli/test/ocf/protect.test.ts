import { describe, expect, it } from 'vitest'
import { cluster, ocfRequired, ocfThere } from './agent.ts'

/** @see OCF Resource Agent API 1.1, "Exit codes" */
const [ok, generic, notRunning, promoted, degraded, degradedPromoted] = [0, 1, 7, 8, 190, 191]
const probe = { OCF_RESKEY_CRM_meta_interval: '0' }

it.runIf(ocfRequired)('resource-agents are there to test with', () => expect(ocfThere, 'see .ci/run').toBe(true))

describe.skipIf(!ocfThere)('Pacemaker with the real xr on two hosts', () => {
  it('boots the guest on one, keeps a copy on the other, and moves it there and back', { timeout: 900_000 }, async () => {
    const { a, b } = cluster()
    const act = async (host: typeof a, action: string, env?: Readonly<Record<string, string>>): Promise<number | null> => (await host.act(action, env)).status
    expect([await act(a, 'monitor', probe), await act(a, 'start'), await act(b, 'start'), await act(b, 'monitor')]).toEqual([notRunning, ok, ok, ok])
    expect(await a.act('promote')).toMatchObject({ status: ok })
    await expect.poll(() => b.guests(), { timeout: 180_000 }).toEqual(['web--incoming paused'])
    expect([await act(a, 'monitor'), await act(b, 'monitor')]).toEqual([promoted, ok])
    // Pacemaker moves it: demote here, promote there.
    expect(await a.act('demote')).toMatchObject({ status: ok })
    expect([await a.guests(), await b.guests()]).toEqual([[], ['web running']])
    expect([await act(b, 'promote'), await act(b, 'monitor'), await act(a, 'monitor')]).toEqual([ok, promoted, ok])
    await expect.poll(() => a.guests(), { timeout: 180_000 }).toEqual(['web--incoming paused'])
    expect([await act(b, 'stop'), await act(a, 'stop')]).toEqual([ok, ok])
    expect([await act(b, 'monitor', probe), await act(a, 'monitor', probe), await a.guests(), await b.guests()]).toEqual([notRunning, notRunning, [], []])
  })

  it('takes the guest over where the copy is when the other host dies, and tells that it is without protection', { timeout: 900_000 }, async () => {
    const { a, b } = cluster()
    const act = async (host: typeof a, action: string, env?: Readonly<Record<string, string>>): Promise<number | null> => (await host.act(action, env)).status
    expect([await act(a, 'start'), await act(b, 'start'), await act(a, 'promote')]).toEqual([ok, ok, ok])
    await expect.poll(() => b.guests(), { timeout: 180_000 }).toEqual(['web--incoming paused'])
    await a.die()
    await expect.poll(() => act(b, 'monitor'), { timeout: 180_000 }).toBe(degraded)
    expect(await b.act('promote')).toMatchObject({ status: ok })
    expect([await b.guests(), await act(b, 'monitor')]).toEqual([['web running'], degradedPromoted])
    expect(await act(a, 'monitor', probe)).toBe(notRunning)
  })

  it('is not demoted and does not stop while the guest has nowhere to go: it runs on', { timeout: 600_000 }, async () => {
    const { a } = cluster()
    const act = async (action: string, env?: Readonly<Record<string, string>>): Promise<number | null> => (await a.act(action, env)).status
    expect([await act('start'), await act('promote'), await act('monitor')]).toEqual([ok, ok, degradedPromoted])
    expect([await act('demote'), await act('stop', { OCF_RESKEY_stop_command: 'false' })]).toEqual([generic, generic])
    expect(await a.guests()).toEqual(['web running'])
  })
})
