import { describe, expect, it } from 'vitest'
import { beginDocument, jsonText, writeDocument, writeJsonLine } from '../../src/output/json.ts'
import { outputTo, type Output } from '../../src/output/output.ts'
import { createProgress } from '../../src/output/progress.ts'
import { sectionText, tableText } from '../../src/output/table.ts'
import { bytesText, countText, durationText, hexText, plural } from '../../src/output/units.ts'

function screen(isTTY = false, columns = 80): Output & { text: string } {
  return {
    text: '',
    isTTY,
    columns,
    write(chunk) {
      this.text += String(chunk)
      return Promise.resolve()
    },
    writeNow(text) {
      this.text += text
    },
  }
}

describe('numbers for people', () => {
  it('have their unit', () => {
    expect([0, 512, 1536, 1024 ** 2, 1.5 * 1024 ** 3, 1023 * 1024 + 1, 2 ** 60].map(bytesText)).toEqual(['0 B', '512 B', '1.50 KiB', '1 MiB', '1.50 GiB', '1023 KiB', '1024 PiB'])
    expect([0.0123, 3.21, 512.3, 1250, 59_999, 125_000].map(durationText)).toEqual(['0.012 ms', '3.2 ms', '512 ms', '1.25 s', '60.0 s', '2 min 5 s'])
    expect([1, 1000, 1048576].map(countText)).toEqual(['1', '1 000', '1 048 576'])
    expect([plural(1, 'page'), plural(2000, 'page'), plural(2, 'leaf', 'leaves'), hexText(255n)]).toEqual(['1 page', '2 000 pages', '2 leaves', '0xff'])
  })
})

describe('tables', () => {
  it('align their columns and leave no blanks at the end', () => {
    expect(tableText([{ heading: 'n', align: 'right' }, { heading: 'name' }, { heading: 'x' }], [['1', 'a', ''], ['10', 'longer', 'y']])).toBe(
      ' n  name    x\n 1  a\n10  longer  y\n',
    )
    expect(sectionText([['a', '1\n2'], ['long', 'x'], ['none', undefined]], '  ')).toBe('  a     1\n        2\n  long  x\n')
    expect(sectionText([])).toBe('')
  })
})

describe('JSON', () => {
  it('has 64-bit numbers and bytes as text', () => {
    expect(jsonText({ a: 0xfeffcn, b: Uint8Array.of(1, 255), c: undefined, d: Buffer.from('x') })).toMatch(/^\{"a":"0xfeffc","b":"01ff"/)
  })

  it('is one document, or one line a value', async () => {
    const out = screen()
    await writeDocument(out, 'xr.x/1', { a: 1 })
    expect(out.text).toBe('{\n  "schema": "xr.x/1",\n  "a": 1\n}\n')
    const line = screen()
    await writeJsonLine(line, { a: [1, 2] })
    expect(line.text).toBe('{"a":[1,2]}\n')
  })

  it('may have a list that grows', async () => {
    for (const count of [0, 1, 3000]) {
      const out = screen()
      const document = beginDocument(out, 'xr.x/1', { f: 1 }, 'items')
      for (let i = 0; i < count; i++) await document.item({ i, filler: 'some thirty characters of text' })
      await document.end(count === 1 ? {} : { last: true })
      const { items, ...rest } = JSON.parse(out.text) as { items: unknown[] }
      expect(items).toHaveLength(count)
      expect(rest).toEqual({ schema: 'xr.x/1', f: 1, ...(count === 1 ? {} : { last: true }) })
    }
  })
})

describe('progress', () => {
  it('is silent for the first second, then a bar that does not go back', () => {
    let time = 0
    const out = screen(true, 60)
    const task = createProgress(out, { now: () => time, quiet: false }).begin('reading', 1000)
    task.at(100)
    expect(out.text).toBe('')
    time = 2000
    task.at(500)
    expect(out.text).toBe('\r[############............] reading: 50 % of 1000 B, 250 B/s\x1b[K')
    time = 2200
    task.at(400)
    expect(out.text).toMatch(/reading: 50 % of [^\r]*\x1b\[K$/)
    task.at(900)
    task.end()
    time = 9000
    task.at(1000)
    expect(out.text).toMatch(/\r\x1b\[K$/)
  })

  it('is a line every few seconds where there is no terminal', () => {
    let time = 0
    const out = screen()
    const task = createProgress(out, { now: () => time, quiet: false }).begin('reading')
    for (time = 0; time <= 12_000; time += 500) task.at(time * 1024)
    task.end()
    expect(out.text).toBe('reading: 1000 KiB, 1000 KiB/s\nreading: 5.86 MiB, 1000 KiB/s\nreading: 10.7 MiB, 1000 KiB/s\n')
  })

  it('says nothing when it is to be quiet, or when the work is short', () => {
    const out = screen(true)
    createProgress(out, { now: () => 1e6, quiet: true }).begin('x', 10).at(5)
    const task = createProgress(out, { now: () => 0, quiet: false }).begin('x', 0)
    task.at(0)
    task.end()
    expect(out.text).toBe('')
  })

  it('can tell of work that has not moved', () => {
    let time = 0
    const out = screen()
    const task = createProgress(out, { now: () => time, quiet: false }).begin('x', 10)
    time = 1000
    task.at(0)
    expect(out.text).toBe('x: 0 % of 10 B, 0 B/s\n')
  })
})

describe('a stream that cannot take more', () => {
  const failing = (code: string): Output =>
    outputTo({ write: (_chunk, done) => (queueMicrotask(() => done(Object.assign(new Error('no'), { code }))), true), on: (_event, listener) => listener(new Error('no')) })

  it('is told apart by why', async () => {
    await expect(failing('EPIPE').write('x')).rejects.toMatchObject({ code: 'CLI_OUTPUT_CLOSED' })
    await expect(failing('ENOSPC').write('x')).rejects.toMatchObject({ code: 'CLI_IO' })
    expect(() => failing('EIO').writeNow('x')).not.toThrow()
    expect(failing('EIO')).toMatchObject({ columns: 80, isTTY: false })
  })
})
