import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { fileOf, scratch, vector, xr, xrJson } from './run-xr.ts'

let folder: string
let document: string
let out: string

beforeEach(async () => {
  folder = scratch()
  document = join(folder, 'guest.json')
  out = join(folder, 'out')
  writeFileSync(document, (await xr(['decode', fileOf('ok_xc_v3_hvm')])).stdout)
})

describe('xr encode', () => {
  it('writes the image to standard output, or to a file and says so', async () => {
    const piped = await xr(['encode', document])
    expect(piped).toMatchObject({ exit: 0, stderr: '' })
    expect(Buffer.from(piped.stdout, 'latin1').equals(vector('ok_xc_v3_hvm'))).toBe(true)
    expect(await xr(['encode', document, '-o', out])).toEqual({ exit: 0, stdout: `${out}: 12.4 KiB\n`, stderr: '' })
    expect(readFileSync(out).equals(vector('ok_xc_v3_hvm'))).toBe(true)
    expect(await xrJson('encode', document, '-o', out)).toEqual({
      exit: 0,
      document: { schema: 'xr.encode/1', in: document, out, bytes: 12664, seconds: expect.any(Number) as number },
    })
    expect((await xr(['encode', document, '--json'])).exit).toBe(2)
  })

  it('takes an edited document laid out anew', async () => {
    const value = JSON.parse(readFileSync(document, 'utf8')) as { items: { name?: string; value?: unknown }[] }
    const tsc = value.items.find(({ name }) => name === 'X86_TSC_INFO')
    Object.assign(tsc?.value as object, { khz: 1234 })
    writeFileSync(document, JSON.stringify(value, null, 2))
    expect((await xr(['encode', document, '-o', out])).exit).toBe(0)
    expect((await xr(['decode', out])).stdout).toContain('"khz":1234')
    expect((await xr(['verify', out])).exit).toBe(0)
  })

  it('tells item and field of a document that cannot be, and leaves no file behind', async () => {
    writeFileSync(document, readFileSync(document, 'utf8').replace(/"khz":\d+/, '"khz":"fast"'))
    const { exit, stderr } = await xr(['encode', document, '-o', out])
    expect(exit).toBe(3)
    expect(stderr).toMatch(/^xr: FMT_JSON: item \d+, value: khz: an integer from 0 to 4294967295 wanted, "fast" found\nhint: /)
    expect(readdirSync(folder)).toEqual(['guest.json'])
  })

  it('says what it wants when it gets an image instead', async () => {
    const { exit, stderr } = await xr(['encode', fileOf('gold_xc_hvm_live'), '-o', out])
    expect({ exit, stderr }).toEqual({ exit: 3, stderr: 'xr: FMT_JSON: this is no JSON document\nhint: give a document that `xr decode` wrote\n' })
  })

  it('says which file is missing when page contents were put aside', async () => {
    const pages = join(folder, 'pages')
    writeFileSync(document, (await xr(['decode', '--pages', pages, fileOf('gold_xc_hvm_live')])).stdout)
    expect((await xr(['encode', document, '-o', out])).stderr).toMatch(/pages: the document was written without page contents\nhint: .*--pages FILE/)
    writeFileSync(pages, readFileSync(pages).subarray(0, 5000))
    expect((await xr(['encode', document, '--pages', pages, '-o', out])).stderr).toMatch(/pages: page 1 is not in the file of page contents/)
  })
})
