import { createContext, runInContext } from 'node:vm'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { parseAst } from 'rolldown/parseAst'
import { beforeAll, describe, expect, it } from 'vitest'
import type * as Format from '../src/index.ts'
import { vector } from './vectors.ts'

const NAMES = ['ok_xlfile_pv', 'ok_xl2_hvm', 'ok_xc_v3_pv64', 'ok_xl2_remus', 'bad_xc_cpuid_23'] as const

/** The package as a page would load it: one script, the exports on a global. */
async function script(): Promise<{ code: string; imports: readonly string[] }> {
  const bundle = await rolldown({
    input: fileURLToPath(new URL('../src/index.ts', import.meta.url)),
    platform: 'browser',
    resolve: { conditionNames: ['@xen-replication/source', 'browser', 'import', 'default'] },
  })
  const { output } = await bundle.generate({ format: 'iife', name: 'format', inlineDynamicImports: true })
  const [chunk] = output
  return { code: chunk.code, imports: [...chunk.imports, ...chunk.dynamicImports, ...output.slice(1).map(({ fileName }) => fileName)] }
}

/** Names that a program mentions other than as names of properties. */
function namesIn(node: unknown, names = new Set<string>()): Set<string> {
  if (typeof node !== 'object' || node === null) return names
  const { type, name, computed, ...parts } = node as { readonly [key: string]: unknown }
  if (type === 'Identifier') names.add(name as string)
  const plain = computed === true ? [] : type === 'MemberExpression' ? ['property'] : type === 'Property' || type === 'MethodDefinition' ? ['key'] : []
  for (const [key, part] of Object.entries(parts)) if (!plain.includes(key)) namesIn(part, names)
  return names
}

/** A world in which nothing exists but ECMAScript: no process, no Buffer, no TextDecoder, no console, no timers. */
function bare(code: string): typeof Format {
  const world = createContext(Object.create(null) as object)
  runInContext('delete globalThis.console; delete globalThis.WebAssembly', world)
  runInContext(`${code}; globalThis.format = format`, world)
  return runInContext('format', world) as typeof Format
}

async function joined(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const piece of pieces) parts.push(piece.slice())
  return new Uint8Array(Buffer.concat(parts))
}

describe('the package in a browser', () => {
  let bundled: Awaited<ReturnType<typeof script>>
  let inBrowser: typeof Format
  let here: typeof Format
  beforeAll(async () => {
    bundled = await script()
    inBrowser = bare(bundled.code)
    here = await import('../src/index.ts')
  })

  it('is one script that imports nothing', () => expect(bundled.imports).toEqual([]))

  it('names nothing that only Node or only browsers have', () => {
    const foreign = ['Buffer', 'process', 'require', 'global', 'globalThis', '__dirname', 'TextDecoder', 'TextEncoder', 'atob', 'btoa', 'console', 'setTimeout', 'crypto']
    const used = namesIn(parseAst(bundled.code))
    expect(used.has('Uint8Array')).toBe(true)
    expect(foreign.filter((name) => used.has(name))).toEqual([])
  })

  it('exports what it exports here', () => expect(Object.keys(inBrowser).sort()).toEqual(Object.keys(here).sort()))

  it.each(NAMES)('judges %s as it does here', async (name) => {
    const judged = async ({ verify, ByteReader, sourceOfBytes }: typeof Format): Promise<unknown> =>
      JSON.parse(JSON.stringify(await verify(new ByteReader(sourceOfBytes(vector(name))))))
    expect(await judged(inBrowser)).toEqual(await judged(here))
  })

  it.each(NAMES)('makes JSON of %s, and of that the same bytes', async (name) => {
    const { describeImage, imageFromJson, ByteReader, sourceOfBytes } = inBrowser
    const bytes = vector(name)
    const text = await joined(describeImage(new ByteReader(sourceOfBytes(bytes))))
    expect(Buffer.compare(await joined(imageFromJson([Buffer.from(text).toString()])), bytes)).toBe(0)
  })

  it('tells what a reader that waits gets', async () => {
    const { createSummary, walk, ByteReader, sourceOfChunks } = inBrowser
    const summary = createSummary()
    async function* chunks(): AsyncGenerator<Uint8Array, void, void> {
      const bytes = vector('ok_xlfile_pv')
      for (let at = 0; at < bytes.length; at += 1000) yield await Promise.resolve(bytes.subarray(at, at + 1000))
    }
    for await (const item of walk(new ByteReader(sourceOfChunks(chunks())))) await summary.item(item)
    expect(summary.finish()).toMatchObject({ format: 'xl', guest: 'pv', end: { reason: 'end' } })
  })
})
