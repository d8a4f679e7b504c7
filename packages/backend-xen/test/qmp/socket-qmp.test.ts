import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { realClock } from '../../src/clock.ts'
import { SocketQmp } from '../../src/qmp/socket-qmp.ts'
import { jumpClock } from '../fakes/fake-machine.ts'

let dir = ''
let server: Server
let sockets: Socket[] = []
let path = ''
/** What the device model sends to a line; undefined says nothing. */
let answer: (line: { readonly execute: string; readonly arguments?: unknown }) => string | undefined = () => undefined
let greeting = ''

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'xr-test-'))
  path = join(dir, 'qmp')
  greeting = '{"QMP": {"version": {}, "capabilities": []}}\r\n'
  answer = () => '{"return": {}}\r\n'
  sockets = []
  server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    socket.write(greeting)
    let held = ''
    socket.setEncoding('utf8').on('data', (data: string) => {
      held += data
      const lines = held.split('\n')
      held = lines.pop() ?? ''
      for (const line of lines) {
        const asked = JSON.parse(line) as { readonly execute: string; readonly id: number }
        const said = answer(asked)
        if (said !== undefined) socket.write(said.replace(/\{"(return|error)"/, `{"id": ${asked.id}, "$1"`)) // answers have the id of what was asked
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
})
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await new Promise((resolve) => server.close(resolve))
  rmSync(dir, { recursive: true })
})

describe('a device model over its socket', () => {
  it('does what it is told, one after the other, whatever events it tells meanwhile', async () => {
    const told: unknown[] = []
    answer = (line) => {
      told.push([line.execute, line.arguments])
      return `{"event": "STOP", "timestamp": {}}\n{"return": {"was": "${line.execute}"}}\r\n`
    }
    const qmp = await SocketQmp.open(path, realClock())
    expect(await Promise.all([qmp.execute('stop'), qmp.execute('cont', { a: 1 })])).toEqual([{ was: 'stop' }, { was: 'cont' }])
    expect(told).toEqual([['qmp_capabilities', undefined], ['stop', undefined], ['cont', { a: 1 }]])
    qmp.close()
    await expect(qmp.execute('stop')).rejects.toMatchObject({ code: 'BACKEND_STATE' })
  })

  it('says why it refuses', async () => {
    const qmp = await SocketQmp.open(path, realClock())
    answer = () => '{"error": {"class": "GenericError", "desc": "no room"}}\n'
    await expect(qmp.execute('xen-save-devices-state')).rejects.toMatchObject({ code: 'BACKEND_DEVICE_MODEL', message: expect.stringMatching(/xen-save-devices-state.*no room/) as string })
    qmp.close()
  })

  it('that does not answer is given up after its time', async () => {
    const qmp = await SocketQmp.open(path, realClock())
    qmp.close()
    answer = ({ execute }) => (execute === 'qmp_capabilities' ? '{"return": {}}\n' : undefined)
    const clock = jumpClock()
    let silent = false
    const patient = { now: () => clock.now(), sleep: (ms: number, signal?: { readonly aborted: boolean }) => (silent ? clock.sleep(ms) : realClock().sleep(ms, signal as AbortSignal)) }
    const late = await SocketQmp.open(path, patient)
    silent = true
    await expect(late.execute('stop')).rejects.toMatchObject({ code: 'BACKEND_DEVICE_MODEL', message: expect.stringContaining('10000 ms') as string })
    await expect(late.execute('cont')).rejects.toMatchObject({ code: 'BACKEND_DEVICE_MODEL' })
  })

  it('that goes fails what waits', async () => {
    const qmp = await SocketQmp.open(path, realClock())
    answer = () => {
      for (const socket of sockets) socket.destroy()
      return undefined
    }
    await expect(qmp.execute('stop')).rejects.toMatchObject({ code: 'BACKEND_DEVICE_MODEL' })
  })

  it.each([['no JSON', 'hello\n'], ['no object', '7\n']])('that sends %s is given up', async (_, line) => {
    greeting = line
    await expect(SocketQmp.open(path, realClock())).rejects.toMatchObject({ code: 'BACKEND_DEVICE_MODEL' })
  })

  it('is not there where nobody listens', async () => {
    await expect(SocketQmp.open(join(dir, 'none'), realClock())).rejects.toMatchObject({ code: 'BACKEND_DEVICE_MODEL' })
  })
})
