import { describe, expect, it } from 'vitest'
import { xr, xrJson } from './run-xr.ts'

const offers = async (...words: string[]): Promise<readonly string[]> => {
  const { stdout } = await xr(['complete', '--', ...words])
  return stdout.trimEnd().split('\n').map((line) => line.replace(/\t.*/, ''))
}

describe('words offered to a shell', () => {
  it('are verbs, then what the verb takes', async () => {
    expect(await offers('sh')).toEqual(['show', ':4'])
    expect(await offers('')).toContain('verify')
    expect(await offers('completion', '')).toEqual(['bash', 'zsh', 'fish', ':4'])
    expect(await offers('help', 'rec')).toEqual(['records', 'receive', ':4'])
    expect(await offers('-q', 'sh')).toEqual(['show', ':4'])
  })

  it('are the names of files where a file may stand', async () => {
    expect(await offers('show', 'gu')).toEqual([':0'])
    expect(await offers('verify', 'a', '--by', 'xen', 'b')).toEqual([':0'])
    expect(await offers('show', 'a', '')).toEqual([':4'])
  })

  it('are options, and the values of those that have a choice', async () => {
    expect(await offers('verify', '--st')).toEqual(['--stream-type', ':4'])
    expect(await offers('-')).toContain('--json')
    expect(await offers('verify', '--by', '')).toEqual(['xen', 'verifier', 'strict', ':4'])
    expect(await offers('verify', '--by', '=', 'x')).toEqual(['xen', ':4'])
    expect(await offers('verify', '--by', '=')).toEqual(['xen', 'verifier', 'strict', ':4'])
    expect(await offers('verify', '--by=x')).toEqual(['--by=xen', ':4'])
    expect(await offers('records', '--limit', '')).toEqual([':0'])
  })

  it('are none behind a word that is no verb', async () => {
    expect(await offers('frob', '')).toEqual([':4'])
  })

  it('say what they do', async () => {
    expect((await xr(['complete', '--', 'sho'])).stdout).toBe('show\ttell what an image is and what it holds\n:4\n')
  })
})

describe('the script for a shell', () => {
  it.each(['bash', 'zsh', 'fish'])('%s hands the words on without evaluating them', async (shell) => {
    const { stdout } = await xr(['completion', shell])
    expect(stdout).toContain('xr complete --')
    expect(stdout).not.toContain('eval')
    expect((await xrJson('completion', shell)).document).toEqual({ schema: 'xr.completion/1', shell, script: stdout })
  })
})
