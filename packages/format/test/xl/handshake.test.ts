import { describe, expect, it } from 'vitest'
import { ByteReader } from '../../src/bytes/byte-reader.ts'
import { sourceOfBytes } from '../../src/bytes/byte-source.ts'
import { joined } from '../../src/bytes/joined.ts'
import { bytesOfText } from '../../src/frame/latin1.ts'
import { encodeDirtyPfnRecord } from '../../src/libxc/checkpoint-dirty-pfn-list.ts'
import { encodeCheckpointState } from '../../src/libxl/checkpoint-state.ts'
import { xlConversations } from '../../src/xl/conversation.ts'
import { explainHandshake } from '../../src/xl/explain-handshake.ts'
import { encodeStatus, expectMessage, expectStatus, xlMessageMeaning, xlMessages, type XlMessage } from '../../src/xl/handshake.ts'
import { printable } from '../../src/xl/printable.ts'
import { busy } from '../frame/there-and-back.ts'

const names = Object.keys(xlMessages) as XlMessage[]
const { banner, ready, permission, report } = xlMessages
const bytes = (text: string): Uint8Array => bytesOfText(text) as Uint8Array
const over = (...parts: readonly Uint8Array[]): ByteReader => new ByteReader(sourceOfBytes(joined(...parts)))

describe('the messages of xl migrate', () => {
  it('are byte for byte what xl sends: the banner without a NUL, the others with one', () => {
    expect([banner, ready, permission, report].map(({ length }) => length)).toEqual([54, 34, 44, 39])
    expect([banner, ready, permission, report].map((message) => message.at(-1))).toEqual([0x0a, 0, 0, 0])
    expect(Object.values(xlMessages).map((message) => String.fromCharCode(...message.subarray(0, 12)))).toEqual(['xl migration', 'domain recei', 'domain is yo', 'my copy unpa'])
    expect(names.map(xlMessageMeaning)).not.toContain('')
  })
  it.each(names)('are taken off the wire and not a byte more: %s', async (name) => {
    const reader = over(xlMessages[name], Uint8Array.of(1))
    await expectMessage(reader, name)
    expect(reader.offset).toBe(xlMessages[name].length)
  })
  it('end with the outcome', async () => {
    expect(await expectStatus(over(encodeStatus('running')))).toBe(0)
    expect(await expectStatus(over(encodeStatus('failed')))).not.toBe(0)
  })
})

describe('a peer that says something else', () => {
  it.each([
    ['a shell that does not know the command', 'banner', bytes('sh: xl: not found\n'), 'banner ("xl migration receiver ready, send binary domain data.\\n") wanted, "sh: xl: not found\\n" came, then the end'],
    ['nobody', 'ready', bytes(''), 'ready ("domain received, ready to unpause\\0") wanted, the peer closed the connection'],
    ['the wrong message', 'permission', report, 'wanted, "my copy unpause results are as follows\\0" came'],
    ['control characters', 'report', new Uint8Array(40).fill(0x1b), '"\\x1b\\x1b'],
  ] as const)('is quoted: %s', async (_, which, said, message) => {
    const reader = over(said)
    const failure = expect(expectMessage(reader, which)).rejects
    await failure.toMatchObject({ code: 'FMT_HANDSHAKE', offset: 0 })
    await failure.toThrow(message)
  })
  it('may go before it tells the outcome', async () => {
    await expect(expectStatus(over())).rejects.toMatchObject({ code: 'FMT_HANDSHAKE' })
  })
  it('is quoted without harm to the terminal, and not at length', () => {
    expect(printable(Uint8Array.of(0x41, 0x22, 0x5c, 9, 0x0d, 0, 7, 0xff))).toBe('A\\"\\\\\\t\\r\\0\\x07\\xff')
    expect(printable(busy(80).fill(0x41))).toBe('A'.repeat(80))
    expect(printable(busy(81).fill(0x41))).toBe(`${'A'.repeat(80)}…`)
  })
})

describe('who says what when', () => {
  const said = (kind: keyof typeof xlConversations): string => xlConversations[kind].map(({ from, says }) => `${from}:${says}`).join(' ')
  it('a migration ends with the hand-over, and with the domain given back when that fails', () => {
    expect(said('plain')).toBe('receiver:banner sender:xl-header sender:stream receiver:ready sender:permission receiver:report receiver:status')
    expect(said('plain-failed')).toBe(`${said('plain')} receiver:permission`)
  })
  it('replication has no hand-over', () => {
    expect(said('remus')).toBe('receiver:banner sender:xl-header sender:stream')
    expect(said('colo')).toBe(`${said('remus')} receiver:back-channel`)
  })
})

describe('bytes of a captured conversation', () => {
  const kinds = (...parts: readonly Uint8Array[]): readonly unknown[] => explainHandshake(joined(...parts)).map((piece) => (piece.kind === 'message' ? piece.message : piece.kind))
  it('are named: what a receiver sends in a migration', () => {
    expect(explainHandshake(joined(banner, ready, report, Uint8Array.of(0)))).toEqual([
      { kind: 'message', offset: 0, length: 54, message: 'banner', cut: false },
      { kind: 'message', offset: 54, length: 34, message: 'ready', cut: false },
      { kind: 'message', offset: 88, length: 39, message: 'report', cut: false },
      { kind: 'status', offset: 127, length: 1, status: 0 },
    ])
  })
  it('are named: what a sender sends behind the stream', () => {
    expect(kinds(permission)).toEqual(['permission'])
    expect(explainHandshake(new Uint8Array(0))).toEqual([])
  })
  it.each([['c64-surplus' as const], [undefined]])('are named: what COLO’s secondary sends, with quirk %s', (quirk) => {
    const state = encodeCheckpointState('SVM_READY')
    const list = encodeDirtyPfnRecord([0, 5], { quirk })
    expect(kinds(banner, state, list, state, list)).toEqual(['banner', 'state', 'dirty', 'state', 'dirty'])
    expect(explainHandshake(list)).toEqual([{ kind: 'dirty', offset: 0, length: list.length, pfns: 2, surplus: quirk !== undefined }])
    expect(explainHandshake(state)).toEqual([{ kind: 'state', offset: 0, length: 16, id: 2, name: 'SVM_READY' }])
  })
  it('are named as far as they go when the capture is cut', () => {
    expect(explainHandshake(joined(banner, ready.subarray(0, 20)))).toMatchObject([{ cut: false }, { message: 'ready', length: 20, cut: true }])
    expect(kinds(report)).toEqual(['report'])
  })
  it.each([
    ['text of something else', bytes('Warning: permanently added')],
    ['a few bytes', Uint8Array.of(1, 2)],
    ['a state that is cut', encodeCheckpointState('NEW').subarray(0, 12)],
    ['a list that is cut', encodeDirtyPfnRecord([1, 2]).subarray(0, 20)],
    ['a list followed by something else', joined(encodeDirtyPfnRecord([1, 2]), busy(20))],
    ['a state of unusual length', joined(Uint8Array.of(5, 0, 0, 0, 8, 0, 0, 0), busy(8))],
  ])('are unknown where they are %s', (_, said) => {
    expect(kinds(banner, said)).toEqual(['banner', 'unknown'])
  })
})
