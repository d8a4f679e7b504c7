import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { docs } from './docs.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const { documents, textOf } = await docs()

/** Links of a document into the repository, as paths from its root with their anchor. */
function linksOf(path: string): readonly (readonly [target: string, anchor: string])[] {
  const targets = [...textOf(path).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target).filter((target) => !/^[a-z]+:/.test(target))
  return targets.map((target) => {
    const [file = '', anchor = ''] = target.split('#')
    return [file === '' ? path : join(dirname(path), file), anchor] as const
  })
}

/** Anchors as GitHub makes them of headings. */
function anchorsOf(path: string): readonly string[] {
  const headings = [...textOf(path).matchAll(/^#+ (.+)$/gm)].map(([, text = '']) => text)
  return headings.map((text) => text.toLowerCase().replaceAll(/[^\p{L}\p{N}_\- ]/gu, '').replaceAll(' ', '-'))
}

describe.each(documents())('%s', (path) => {
  it('links to what exists', () => {
    const dead = linksOf(path).filter(([target, anchor]) => !existsSync(join(root, target)) || (anchor !== '' && !anchorsOf(target).includes(anchor)))
    expect(dead).toEqual([])
  })

  it('has no line longer than 160 characters, rows of tables and code apart', () => {
    const text = textOf(path).replaceAll(/^```[^]*?^```$/gm, '')
    const long = text.split('\n').filter((line) => line.length > 160 && !line.startsWith('|'))
    expect(long).toEqual([])
  })
})
