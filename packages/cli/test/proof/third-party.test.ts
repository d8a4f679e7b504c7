import { addressCases, linkCases, listenCases, strategyCases } from '@xen-replication/compliance'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { author, envIn, run, type Author, type Ran } from './author.ts'

let made: Author | undefined
beforeAll(async () => {
  made = await author()
}, 120_000)
afterAll(() => made?.remove())
const here = (): Author => made as Author

const xr = (...args: readonly string[]): Promise<Ran> => run(process.execPath, [here().xr, ...args], here().site)
const names = ({ output }: Ran): readonly string[] => (JSON.parse(output) as { readonly domains: readonly { readonly name: string }[] }).domains.map(({ name }) => name)

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

describe('a plugin from outside the workspace, with packed packages', { timeout: 120_000 }, () => {
  it('has types that strict TypeScript finds nothing wrong with', async () => {
    const tsc = join(here().plugin, '../node_modules/typescript/lib/tsc.js')
    const options = ['--noEmit', '--allowJs', '--checkJs', '--strict', '--target', 'es2023', '--module', 'nodenext', '--types', 'node', '--skipLibCheck', 'false']
    expect(await run(process.execPath, [tsc, ...options, 'src/index.js', 'test/compliance.test.js'], here().plugin)).toEqual({ exit: 0, output: '' })
  })

  it('keeps the contracts of a transport and of a strategy', async () => {
    const { exit, output } = await run(process.execPath, ['--test', 'test/'], here().plugin)
    const cases = [...linkCases({ duplex: true, kind: 'live', loss: 'told' }), ...listenCases, ...addressCases, ...strategyCases]
    expect(output).toMatch(/^# fail 0$/m)
    expect(Number(/^# pass (\d+)$/m.exec(output)?.[1])).toBe(cases.length + 1) // and what it brings
    expect(exit).toBe(0)
  })

  it('is found by its name, and what it brings is listed', async () => {
    const { exit, output } = await xr('plugins', '--plugin', 'xr-plugin-http', '--json')
    const { contributions } = JSON.parse(output) as { readonly contributions: readonly { readonly plugin: string; readonly kind: string; readonly name: string }[] }
    expect(contributions.filter(({ plugin }) => plugin === 'xr-plugin-http').map(({ kind, name }) => `${kind} ${name}`)).toEqual(['transport http', 'strategy steady'])
    expect(exit).toBe(0)
  })

  it('carries a guest to another host', async () => {
    const url = `http://127.0.0.1:${await freePort()}/xr`
    const loaded = ['--plugin', 'xr-plugin-http'] as const
    expect(await xr('--mock-host', 'a', 'create', 'demo', '--memory', '16MiB')).toMatchObject({ exit: 0 })
    const receiver = spawn(process.execPath, [here().xr, '--mock-host', 'b', 'receive', url, ...loaded], { cwd: here().site, env: envIn(here().site), stdio: 'ignore' })
    const ended = once(receiver, 'exit')
    try {
      let moved = await xr('--mock-host', 'a', 'migrate', 'demo', url, ...loaded)
      while (receiver.exitCode === null && moved.output.includes('LINK_REFUSED')) moved = await xr('--mock-host', 'a', 'migrate', 'demo', url, ...loaded)
      expect(moved).toMatchObject({ exit: 0, output: expect.stringContaining('demo runs at http://') as string })
      expect(await ended).toEqual([0, null])
    } finally {
      receiver.kill()
    }
    expect(names(await xr('--mock-host', 'a', 'list', '--json'))).toEqual([])
    expect(names(await xr('--mock-host', 'b', 'list', '--json'))).toEqual(['demo'])
  })

  it('is needed for its URLs: without it they are refused before the guest is touched', async () => {
    expect(await xr('--mock-host', 'c', 'create', 'demo', '--memory', '16MiB')).toMatchObject({ exit: 0 })
    expect((await xr('--mock-host', 'c', 'migrate', 'demo', 'http://127.0.0.1:9/xr')).output).toContain('PLUGIN_NO_TRANSPORT')
  })
})
