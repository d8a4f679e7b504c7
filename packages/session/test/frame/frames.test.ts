import { isXrError, XrError } from '@xen-replication/errors'
import { encodeFrame, frameTypes, readFrame, type Frame, type FrameName, type FrameSource } from '@xen-replication/session'
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { asciiOf, plainText } from '../../src/frame/text.ts'
import { reasonOf } from '../../src/frame/reason.ts'

const vectorsOf = <T>(name: string): readonly T[] => JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8')) as T[]

interface Vector {
  readonly name: FrameName
  readonly number: number
  readonly body: never
  readonly hex: string
}
const vectors = vectorsOf<Vector>('frames')
const refused = vectorsOf<{ readonly what: string; readonly payload: number; readonly hex: string; readonly code: string }>('refused')

/** Bytes in pieces of the lengths that `piece` tells. */
function sourceOf(bytes: Uint8Array, piece: () => number = () => bytes.length): FrameSource {
  let at = 0
  return {
    read: (max) => {
      const part = bytes.subarray(at, at + Math.min(max, Math.max(1, piece())))
      at += part.length
      return part.length === 0 ? undefined : part
    },
  }
}
const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))
const jsonOf = ({ name, body }: Frame): unknown => (frameTypes[name].body.toJson as (value: unknown) => unknown)(body)
const limits = { payload: 65_536 }

describe('the frames in the vectors', () => {
  it('are of every type there is', () => {
    expect([...new Set(vectors.map(({ name }) => name))].sort()).toEqual(Object.keys(frameTypes).sort())
  })

  it('have numbers that stand for one thing only', () => {
    const types = Object.values(frameTypes).map(({ type }) => type)
    expect(new Set(types).size).toBe(types.length)
  })

  it.each(vectors)('$name is read as written down', async ({ name, number, body, hex }) => {
    const frame = await readFrame(sourceOf(bytesOf(hex)), limits)
    expect(frame).toMatchObject({ name, number })
    expect(jsonOf(frame as Frame)).toEqual(body)
  })

  it.each(vectors)('$name is written as written down', ({ name, number, body, hex }) => {
    const value = frameTypes[name].body.fromJson(body) as never
    expect(Buffer.concat(encodeFrame(name, value, number)).toString('hex')).toBe(hex)
    expect(Buffer.from(frameTypes[name].body.encode(value)).toString('hex')).toBe(hex.slice(40))
  })

  it.each(vectors)('$name comes out the same wherever the network cuts it', async ({ hex }) => {
    const whole = await readFrame(sourceOf(bytesOf(hex)), limits)
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.integer({ min: 1, max: 9 })), async (pieces) => {
        expect(await readFrame(sourceOf(bytesOf(hex), () => pieces.next().value as number), limits)).toEqual(whole)
      }),
      { numRuns: 20 },
    )
  })

  it.each(vectors)('a bit of $name that is changed on the way is found, in the payload of data by unpacking', async ({ name, hex }) => {
    const bytes = bytesOf(hex)
    const end = name === 'data' ? 44 : bytes.length
    for (let bit = 0; bit < 8 * end; bit += 1) {
      const changed = bytes.slice()
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
      await expect(readFrame(sourceOf(changed), limits)).rejects.toSatisfy(isXrError)
    }
  })
})

describe('a frame that is refused', () => {
  it.each(refused)('$what: $code', async ({ hex, code, payload }) => {
    await expect(readFrame(sourceOf(bytesOf(hex)), { payload })).rejects.toMatchObject({ code, hint: expect.any(String) as string })
  })

  it('for its length takes no memory first', async () => {
    const asked: number[] = []
    const head = bytesOf(refused.find(({ what }) => what.includes('4 GiB'))?.hex as string)
    const source = sourceOf(head)
    await expect(readFrame({ read: (max) => (asked.push(max), source.read(max)) }, limits)).rejects.toMatchObject({ code: 'SESSION_TOO_LARGE' })
    expect(Math.max(...asked)).toBe(20)
  })
})

describe('a frame of unknown type that may be passed over', () => {
  it('is', async () => {
    const unknown = bytesOf(`7f000100030000000000000000000000${'00000000'}aabbcc`)
    const next = bytesOf(vectors.find(({ name }) => name === 'yours')?.hex as string)
    expect(await readFrame(sourceOf(Buffer.concat([unknown, unknown, next]), () => 2), limits)).toMatchObject({ name: 'yours' })
  })
})

describe('the end between two frames', () => {
  it('is told from one within a frame', async () => {
    expect(await readFrame(sourceOf(new Uint8Array(0)), limits)).toBeUndefined()
  })
})

describe('before the greeting', () => {
  it.each(['data', 'heartbeat', 'yours', 'bye'] as const)('%s is not taken', async (name) => {
    const { hex } = vectors.find((vector) => vector.name === name) as Vector
    await expect(readFrame(sourceOf(bytesOf(hex)), 'greeting')).rejects.toMatchObject({ code: 'SESSION_NOT_XR' })
  })

  it('a peer that is xl is recognised, with the option to use', async () => {
    const banner = new TextEncoder().encode('xl migration receiver ready, send binary domain data.\n')
    await expect(readFrame(sourceOf(banner), 'greeting')).rejects.toMatchObject({ code: 'SESSION_NOT_XR', hint: 'use --peer xl' })
  })

  it('what else answers is shown with its control characters spelled out', async () => {
    const ssh = new TextEncoder().encode('SSH-2.0-\x1b[2JOpenSSH_9.2p1\r\n')
    await expect(readFrame(sourceOf(ssh), 'greeting')).rejects.toThrow('the peer begins with "SSH-2.0-\\x1b[2JOpenSSH')
  })
})

describe('bytes that make no sense', () => {
  it('are refused with a code, whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.constantFrom<'greeting' | { payload: number }>('greeting', limits), async (bytes, how) => {
        await readAll(bytes, how)
      }),
      { numRuns: 2000 },
    )
  })

  it('are refused with a code, when they were frames once', async () => {
    const cut = fc.record({ vector: fc.constantFrom(...vectors), at: fc.nat(400), put: fc.uint8Array({ maxLength: 12 }), fix: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(fc.array(cut, { minLength: 1, maxLength: 4 }), async (cuts) => {
        const all = cuts.map(({ vector, at, put, fix }) => {
          const bytes = bytesOf(vector.hex)
          bytes.set(put.subarray(0, Math.max(0, bytes.length - at)), Math.min(at, bytes.length))
          return fix ? encodeAgain(bytes) : bytes
        })
        await readAll(Buffer.concat(all), limits)
      }),
      { numRuns: 3000 },
    )
  })
})

/** The same bytes with a checksum that fits, so that what is behind it is tried too. */
function encodeAgain(bytes: Uint8Array): Uint8Array {
  const covered = bytes[0] === 16 ? bytes.subarray(20, 44) : bytes.subarray(20)
  const [head] = encodeFrame('bye', {}, 1)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  expect(head).toHaveLength(20)
  let crc = ~0
  for (const byte of [...bytes.subarray(0, 16), ...covered]) {
    crc ^= byte
    for (let k = 0; k < 8; k += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  view.setUint32(16, ~crc >>> 0, true)
  return bytes
}

async function readAll(bytes: Uint8Array, how: 'greeting' | { payload: number }): Promise<void> {
  const source = sourceOf(bytes)
  try {
    while ((await readFrame(source, how)) !== undefined);
  } catch (error) {
    expect(error).toBeInstanceOf(XrError)
  }
}

describe('a reason', () => {
  it('shows control characters and what is not ASCII spelled out, and keeps to its length', () => {
    const bytes = frameTypes.abort.body.encode({ code: 'X', message: `\x1b[31m${'ä'.repeat(3000)}` })
    expect(bytes.length).toBeLessThanOrEqual(1089)
    const { code, message } = frameTypes.abort.body.decode(bytes)
    expect([code, message.slice(0, 12), message.slice(-3)]).toEqual(['X', '\\x1b[31m????', '...'])
  })

  it('without a code that is one has UNKNOWN', () => {
    expect(frameTypes.abort.body.decode(Uint8Array.from([1, 0x20, 0x41]))).toEqual({ code: 'UNKNOWN', message: 'A' })
  })

  it.each([
    [new XrError('LINK_LOST', 'gone'), { code: 'LINK_LOST', message: 'gone' }],
    [new Error('bad'), { code: 'UNKNOWN', message: 'bad' }],
    ['text', { code: 'UNKNOWN', message: 'text' }],
    [null, { code: 'UNKNOWN', message: 'null' }],
    [Object.assign(new Error('x'), { code: 5 }), { code: 'UNKNOWN', message: 'x' }],
  ])('of %o is %o', (error, reason) => {
    expect(reasonOf(error)).toEqual(reason)
  })

  it('goes through as it is when it is plain text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'abc XYZ"()=:;,.-'), maxLength: 1024 }), (text) => {
        expect(plainText(asciiOf(text, 1024))).toBe(text)
      }),
    )
  })
})

describe('JSON that describes no frame', () => {
  it.each([
    ['abort', { code: 1, message: 'x' }], ['abort', null], ['say', 5], ['hello', {}], ['hello', null], ['data', {}], ['data', null],
    ['ack', { frame: -1, taken: 0 }], ['ack', { frame: '1', taken: 0 }], ['ack', {}], ['yours', 3],
  ] as const)('%s %o is refused', (name, json) => {
    expect(() => frameTypes[name].body.fromJson(json as never)).toThrow(expect.objectContaining({ code: expect.stringMatching(/^(SESSION_MALFORMED|FMT_JSON)$/) as string }) as Error)
  })
})

describe('names for the wire', () => {
  it.each([['Has Capitals'], [''], ['a'.repeat(33)], ['ä']])('do not include %o', (name) => {
    expect(() => frameTypes.say.body.encode(name)).toThrow(expect.objectContaining({ code: 'SESSION_OPTION' }) as Error)
  })

  it('are at most eight', () => {
    const { hex } = vectors[0] as Vector
    const hello = frameTypes.hello.body.decode(bytesOf(hex).subarray(20))
    expect(() => frameTypes.hello.body.encode({ ...hello, names: Array.from({ length: 9 }, () => 'a') })).toThrow('9 names are too many')
  })
})
