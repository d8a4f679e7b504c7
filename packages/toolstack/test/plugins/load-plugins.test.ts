import { loadPlugins } from '@xen-replication/toolstack'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { folderOf } from '../scratch.ts'

const plugin = (name: string, api = 1): string => `{ name: '${name}', api: ${api}, contribute: () => undefined }`
const manifest = (exports: unknown): string => JSON.stringify({ name: 'x', type: 'module', exports })
const namesOf = async (names: readonly string[], from: string): Promise<readonly string[]> => (await loadPlugins(names, from)).map(({ name }) => name)

describe('a plugin named by the user', () => {
  it('is found as a package from the current folder upwards', async () => {
    const folder = folderOf({ 'node_modules/@acme/quic/package.json': manifest('./quic.js'), 'node_modules/@acme/quic/quic.js': `export const quic = ${plugin('@acme/quic')}`, 'deep/down/x': '' })
    expect(await namesOf(['@acme/quic'], join(folder, 'deep/down'))).toEqual(['@acme/quic'])
  })

  it.each([
    ['import only', { '.': { import: './p.js' } }],
    ['conditions in conditions', { node: { types: './p.d.ts', import: { default: './p.js' } } }],
    ['several entries', { './other': './nothing.js', '.': { browser: './b.js', default: './p.js' } }],
  ])('may be a package that only import may load: %s', async (_, exports) => {
    const folder = folderOf({ 'node_modules/p/package.json': manifest(exports), 'node_modules/p/p.js': `export const p = ${plugin('p')}` })
    expect(await namesOf(['p'], folder)).toEqual(['p'])
  })

  it('may be a file, and bring several plugins under several names', async () => {
    const folder = folderOf({ 'mine.mjs': `export const a = ${plugin('a')}; export const b = ${plugin('b')}; export { a as again }; export const other = 7` })
    expect(await namesOf(['./mine.mjs', './mine.mjs'], folder)).toEqual(['a', 'b'])
    expect(await namesOf([join(folder, 'mine.mjs')], '/')).toEqual(['a', 'b'])
  })

  it('is told by its shape, whatever plugin-api it was made with', async () => {
    const folder = folderOf({ 'old.mjs': `export default ${plugin('old', 7)}` })
    expect(await namesOf(['./old.mjs'], folder)).toEqual(['old'])
  })

  it.each([
    ['no-such-package', 'PLUGIN_NOT_FOUND', /npm install no-such-package/],
    ['./nothing.mjs', 'PLUGIN_NOT_FOUND', /npm install/],
    ['..', 'PLUGIN_NOT_FOUND', /npm install/],
    ['./empty.mjs', 'PLUGIN_NOT_FOUND', /definePlugin/],
    ['browser', 'PLUGIN_NOT_FOUND', /npm install browser/],
    ['closed', 'PLUGIN_NOT_FOUND', /npm install closed/],
    ['./broken.mjs', 'PLUGIN_LOAD', /report this/],
    ['./worse.mjs', 'PLUGIN_LOAD', /report this/],
  ])('%s is refused with %s and a hint', async (name, code, hint) => {
    const folder = folderOf({
      'empty.mjs': 'export const nothing = {}', 'broken.mjs': 'throw new Error("no")', 'worse.mjs': 'throw "no"',
      'node_modules/browser/package.json': manifest({ browser: './b.js' }), 'node_modules/closed/package.json': manifest({ '.': null }),
    })
    await expect(loadPlugins([name], folder)).rejects.toMatchObject({ code, hint: expect.stringMatching(hint) as string })
  })

  it('keeps what it says itself when it refuses to be defined', async () => {
    const errors = new URL('../../../plugin-api/src/index.ts', import.meta.url).href
    const folder = folderOf({ 'future.mjs': `import { definePlugin } from '${errors}'; export const f = definePlugin({ name: 'f', api: 99, contribute: () => undefined })` })
    await expect(loadPlugins(['./future.mjs'], folder)).rejects.toMatchObject({ code: 'PLUGIN_API' })
  })
})
