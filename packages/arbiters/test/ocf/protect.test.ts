import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { agentHost, ocfRequired, ocfThere, type AgentHost } from './agent.ts'

/** @see OCF Resource Agent API 1.1, "Exit codes" */
const [ok, generic, configured, installed, notRunning, promoted, degradedStandby, degraded] = [0, 1, 6, 5, 7, 8, 190, 191]
const probe = { OCF_RESKEY_CRM_meta_interval: '0' }

it.runIf(ocfRequired)('resource-agents are there to test with', () => expect(ocfThere, 'see .ci/run').toBe(true))

describe.skipIf(!ocfThere)('ocf:xr:protect', () => {
  let host: AgentHost
  beforeEach(() => {
    host = agentHost()
  })
  afterEach(() => host.remove())
  const act = (action: string, env?: Readonly<Record<string, string>>): number | null => host.act(action, env).status

  it('passes ocf-tester', () => {
    host.set('held')
    const { status, output } = host.tester()
    expect(output).toContain('passed all tests')
    expect(output).not.toMatch(/^\* rc=/m)
    expect(status).toBe(0)
  })

  it('stands by after start, and no more after stop', () => {
    expect([act('monitor', probe), act('start'), act('monitor'), act('stop'), act('monitor')]).toEqual([notRunning, ok, ok, ok, notRunning])
    expect(host.calls()).toEqual(['receive tcp://0.0.0.0:9000 --arbiter file:/shared'])
  })

  it('says why it cannot stand by', () => {
    host.set('deaf')
    const { status, output } = host.act('start')
    expect(status).toBe(generic)
    expect(output).toContain('the port is taken')
  })

  it('takes the guest over with xr failover when promoted, and protects it anew', () => {
    host.set('held')
    expect([act('start'), act('promote'), act('monitor')]).toEqual([ok, ok, promoted])
    expect(host.calls().slice(1)).toEqual(['failover web', 'remus --arbiter file:/shared -i 50 web tcp://peer:9000'])
  })

  it('is promoted although nobody stands by on the other host, and tells that the guest is without protection', () => {
    host.set('held', 'no-peer')
    expect([act('start'), act('promote'), act('monitor'), act('monitor', probe)]).toEqual([ok, ok, degraded, promoted])
  })

  it('is not promoted when the arbiter refuses: the guest does not run here', () => {
    host.set('held', 'refused')
    expect([act('start'), act('promote')]).toEqual([ok, generic])
    expect(host.has('here')).toBe(false)
    expect(host.act('promote').output).toContain('arbiter')
  })

  it('is not promoted where no copy is held, unless it is told how to boot the guest', () => {
    expect([act('start'), act('promote')]).toEqual([ok, generic])
    expect(act('promote', { OCF_RESKEY_boot_command: 'touch $STAND_IN/here' })).toBe(ok)
    expect(act('monitor')).toBe(promoted)
    expect(act('promote', { OCF_RESKEY_boot_command: 'exit 3' })).toBe(ok) // it runs already
  })

  it('a boot that fails is no promotion', () => {
    expect([act('start'), act('promote', { OCF_RESKEY_boot_command: 'exit 3' })]).toEqual([ok, generic])
  })

  it('finds a guest that runs here as promoted, and protects it as soon as the other host stands by', () => {
    host.set('here')
    expect([act('monitor', probe), act('start')]).toEqual([promoted, ok])
    expect(act('notify', { OCF_RESKEY_CRM_meta_notify_type: 'post', OCF_RESKEY_CRM_meta_notify_operation: 'start' })).toBe(ok)
    expect([act('monitor'), host.has('remus')]).toEqual([promoted, true])
  })

  it('lets a guest go on that stood because nobody could say who may run it, once the other host has stopped or was fenced', () => {
    host.set('held')
    expect([act('start'), act('promote')]).toEqual([ok, ok])
    host.set('standing')
    expect(act('monitor')).toBe(degraded)
    expect(act('notify', { OCF_RESKEY_CRM_meta_notify_type: 'post', OCF_RESKEY_CRM_meta_notify_operation: 'stop' })).toBe(ok)
    expect(host.calls().at(-1)).toBe('failover web')
    expect([act('monitor', probe), host.has('standing')]).toEqual([promoted, false])
  })

  it('keeps a copy whose primary is lost, tells so, and takes the guest over with it when promoted', () => {
    host.set('held', 'lost')
    expect([act('start'), act('monitor'), act('monitor', probe), act('promote'), host.has('here')]).toEqual([ok, degradedStandby, ok, ok, true])
  })

  it.each([['pre', 'start'], ['post', 'promote'], ['post', 'stop'], ['pre', 'stop']])('other notices change nothing: %s-%s', (type, operation) => {
    host.set('here')
    expect(act('notify', { OCF_RESKEY_CRM_meta_notify_type: type, OCF_RESKEY_CRM_meta_notify_operation: operation })).toBe(ok)
    expect(host.has('remus')).toBe(false)
  })

  it('hands the guest over when demoted, and stands by for it to come back', () => {
    host.set('held')
    expect([act('start'), act('promote')]).toEqual([ok, ok])
    host.unset('held')
    expect([act('demote'), act('monitor'), host.has('here'), host.has('receive')]).toEqual([ok, ok, false, true])
  })

  it('is not demoted when there is nobody to hand the guest to: it runs on', () => {
    host.set('here')
    expect([act('demote'), host.has('here')]).toEqual([generic, true])
  })

  it('ends a guest that it has to stop with the command for it', () => {
    host.set('here')
    expect([act('notify', { OCF_RESKEY_CRM_meta_notify_type: 'post', OCF_RESKEY_CRM_meta_notify_operation: 'start' }), act('stop'), act('monitor')]).toEqual([ok, ok, notRunning])
    expect(host.calls()).toContain('abort web')
    expect([host.has('here'), host.has('remus')]).toEqual([false, false])
  })

  it('fails to stop when the guest goes on, so that the host is fenced', () => {
    host.set('here')
    expect(act('stop', { OCF_RESKEY_stop_command: 'false' })).toBe(generic)
  })

  it('does not guess when xr does not tell what runs', () => {
    host.set('broken')
    for (const action of ['monitor', 'start', 'promote', 'demote', 'stop']) expect(act(action), action).toBe(generic)
  })

  it.each([
    ['no guest', { OCF_RESKEY_guest: '' }, configured],
    ['no place to listen', { OCF_RESKEY_listen: '' }, configured],
    ['no peer', { OCF_RESKEY_peer: '' }, configured],
    ['a guest that looks like an option', { OCF_RESKEY_guest: '--all' }, configured],
    ['a guest with a command in it', { OCF_RESKEY_guest: 'a;reboot' }, configured],
    ['no xr', { OCF_RESKEY_xr: '/no/such/xr' }, installed],
    ['all there', {}, ok],
  ] as const)('validate-all: %s', (_, env, status) => expect(act('validate-all', env)).toBe(status))

  it('where xr is not installed nothing runs, and nothing has to be stopped', () => {
    const env = { OCF_RESKEY_xr: '/no/such/xr' }
    expect([act('monitor', { ...env, ...probe }), act('stop', env), act('start', env)]).toEqual([notRunning, ok, installed])
  })

  it('an action that it does not know is told so', () => expect(act('migrate_to')).toBe(3))

  it('passes options on as words, and expands nothing in them', () => {
    host.set('held')
    expect([act('start'), act('promote', { OCF_RESKEY_options: '-i * $(touch trap)' })]).toEqual([ok, ok])
    expect(host.calls().at(-1)).toBe('remus --arbiter file:/shared -i * $(touch trap) web tcp://peer:9000')
  })

  it('names the same parameters in its meta-data as it reads', () => {
    const text = readFileSync(host.dir.path('protect'), 'utf8')
    const told = [...text.matchAll(/<parameter name="(\w+)"/g)].map(([, name]) => name).sort()
    const read = [...new Set([...text.matchAll(/OCF_RESKEY_([a-z]\w*)/g)].map(([, name]) => name))].sort()
    expect(read).toEqual(told)
  })
})
