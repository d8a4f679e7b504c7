import { describe, expect, it } from 'vitest'
import { tcp, type Tcp } from './frames.ts'
import { pair, type Pair } from './pair.ts'

/** @returns a connection on which both sides have said SYN. */
function begun(): Pair {
  const syn = tcp({ seq: 99, ack: 1, signs: 'S' })
  const one = pair().primary(syn).secondary(syn)
  expect(one.left.splice(0)).toEqual([syn])
  return one
}

describe('a TCP connection', () => {
  it('leaves when the secondary has sent the same bytes, cut otherwise', () => {
    const one = begun().primary(tcp({ seq: 100, ack: 1, data: '0123456789' })).secondary(tcp({ seq: 100, ack: 1, data: '01234' }))
    expect(one.left).toEqual([])
    one.secondary(tcp({ seq: 105, ack: 1, data: '56789abc' }))
    expect(one.left).toEqual([tcp({ seq: 100, ack: 1, data: '0123456789' })])
    one.primary(tcp({ seq: 110, ack: 1, data: 'ab' })).primary(tcp({ seq: 112, ack: 1, data: 'c' }))
    expect([one.left.length, one.comparer.waiting, one.diverged]).toEqual([3, 0, undefined])
  })

  it('asks for a checkpoint at the first byte that differs', () => {
    const one = begun().secondary(tcp({ seq: 100, ack: 1, data: 'abcX' })).primary(tcp({ seq: 100, ack: 1, data: 'abc' })).primary(tcp({ seq: 103, ack: 1, data: 'd' }))
    expect([one.left, one.diverged]).toEqual([[tcp({ seq: 100, ack: 1, data: 'abc' })], 'differs'])
  })

  it('is not compared in what may differ: window, options, number of the packet', () => {
    const mine = tcp({ seq: 100, ack: 1, data: 'same' })
    expect(begun().primary(mine).secondary(tcp({ seq: 100, ack: 1, data: 'same', window: 9, ident: 9, options: [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2] })).left).toEqual([mine])
  })

  it('an acknowledgement leaves once the secondary has acknowledged as much', () => {
    const one = begun().primary(tcp({ seq: 100, ack: 500 })).secondary(tcp({ seq: 100, ack: 400 }))
    expect(one.left).toEqual([])
    expect(one.secondary(tcp({ seq: 100, ack: 600 })).left).toEqual([tcp({ seq: 100, ack: 500 })])
    expect(one.primary(tcp({ seq: 100, ack: 600, data: '' })).left.length).toBe(2)
  })

  it('bytes that acknowledge more than the secondary has received wait', () => {
    const one = begun().primary(tcp({ seq: 100, ack: 500, data: 'x' })).secondary(tcp({ seq: 100, ack: 400, data: 'x' }))
    expect([one.left, one.diverged]).toEqual([[], undefined])
    expect(one.secondary(tcp({ seq: 101, ack: 500 })).left).toEqual([tcp({ seq: 100, ack: 500, data: 'x' })])
  })

  it('two first numbers that differ ask for a checkpoint, behind which both are the same', () => {
    const [here, there] = [tcp({ seq: 99, ack: 1, signs: 'S' }), tcp({ seq: 77, ack: 1, signs: 'S' })]
    for (const one of [pair().primary(here).secondary(there), pair().secondary(there).primary(here)]) {
      expect([one.left, one.diverged]).toEqual([[], 'differs'])
      one.checkpoint().primary(tcp({ seq: 100, ack: 1, data: 'x' })).secondary(tcp({ seq: 100, ack: 1, data: 'x' }))
      expect([one.left.length, one.diverged]).toEqual([2, undefined])
    }
  })

  it('the end of a stream is compared, too', () => {
    const end = tcp({ seq: 100, ack: 1, signs: 'F' })
    expect(begun().primary(end).secondary(tcp({ seq: 100, ack: 1 })).left).toEqual([])
    expect(begun().primary(end).secondary(tcp({ seq: 100, ack: 1, data: 'more' })).diverged).toBe('differs')
    expect(begun().primary(end).secondary(end).left).toEqual([end])
    const whole = tcp({ seq: 100, ack: 1, data: 'bye', signs: 'F' })
    expect(begun().primary(whole).secondary(tcp({ seq: 100, ack: 1, data: 'bye' })).secondary(tcp({ seq: 103, ack: 1, signs: 'F' })).left).toEqual([whole])
  })

  it('a reset leaves once the secondary has sent one', () => {
    const reset = tcp({ seq: 100, ack: 1, signs: 'R' })
    const one = begun().primary(reset).secondary(tcp({ seq: 100, ack: 1 }))
    expect(one.left).toEqual([])
    expect(one.secondary(reset).left).toEqual([reset])
    expect(one.primary(reset).left.length).toBe(1)
  })

  it('what is sent again leaves when it was compared before', () => {
    const data = tcp({ seq: 100, ack: 1, data: 'abc' })
    const one = begun().primary(data).secondary(data).secondary(data).primary(data)
    expect([one.left, one.comparer.waiting, one.diverged]).toEqual([[data, data], 0, undefined])
  })

  it('a primary that sends other bytes for the same numbers asks for a checkpoint', () => {
    const one = begun().primary(tcp({ seq: 100, ack: 1, data: 'abc' })).primary(tcp({ seq: 101, ack: 1, data: 'XX' })).secondary(tcp({ seq: 100, ack: 1, data: 'abc' }))
    expect([one.left, one.diverged]).toEqual([[], 'differs'])
  })

  it('bytes may come in any order, from either side', () => {
    const parts: readonly Tcp[] = [{ seq: 103, data: 'def' }, { seq: 100, data: 'abc' }, { seq: 106, data: 'g' }]
    const one = begun()
    for (const part of parts) one.primary(tcp({ ...part, ack: 1 }))
    for (const part of parts.toReversed()) one.secondary(tcp({ ...part, ack: 1 }))
    expect(one.left).toEqual(parts.map((part) => tcp({ ...part, ack: 1 })))
  })

  it('its numbers may wrap around', () => {
    const one = pair()
    const parts: readonly Tcp[] = [{ seq: 0xffff_fffe, data: 'abcd' }, { seq: 2, data: 'ef' }]
    for (const part of parts) one.primary(tcp({ ...part, ack: 0xffff_ffff }))
    one.secondary(tcp({ seq: 0xffff_fffe, ack: 3, data: 'abcdef' }))
    expect(one.left.length).toBe(2)
  })

  it('what a checkpoint has covered is not compared again', () => {
    const lost = tcp({ seq: 100, ack: 1, data: 'abc' })
    const one = begun().primary(lost).secondary(tcp({ seq: 100, ack: 1, data: 'xyz' })).checkpoint()
    expect(one.primary(lost).left).toEqual([lost, lost]) // sent again, since the first was lost on the way
    one.primary(tcp({ seq: 103, ack: 1, data: 'd' })).secondary(tcp({ seq: 100, ack: 1, data: 'abcd' }))
    expect([one.left.length, one.comparer.waiting]).toEqual([3, 0])
  })

  it('what comes from before the first byte seen is not believed to have been compared', () => {
    const one = pair().secondary(tcp({ seq: 50, ack: 1, data: 'old' })).primary(tcp({ seq: 100, ack: 1, data: 'x' })).primary(tcp({ seq: 50, ack: 1, data: 'new' }))
    expect([one.left, one.diverged]).toEqual([[], 'differs'])
  })

  it('what a checkpoint has covered may be sent again, from before the first byte seen, too', () => {
    const one = pair().primary(tcp({ seq: 100, ack: 500, data: 'x' })).checkpoint()
    one.primary(tcp({ seq: 50, ack: 500, data: 'older' })).primary(tcp({ seq: 101, ack: 500 }))
    expect([one.left.length, one.comparer.waiting, one.diverged]).toEqual([3, 0, undefined])
  })

  it('what the secondary has sent before a checkpoint counts for nothing behind it', () => {
    const reset = tcp({ seq: 100, ack: 1, signs: 'R' })
    expect(begun().secondary(reset).checkpoint().primary(reset).left).toEqual([])
    const one = pair().primary(tcp({ seq: 99, ack: 1, signs: 'S' })).secondary(tcp({ seq: 77, ack: 1, signs: 'S' })).checkpoint()
    one.secondary(tcp({ seq: 100, ack: 1, data: 'x' })).secondary(tcp({ seq: 99, ack: 1, signs: 'S' })).primary(tcp({ seq: 100, ack: 1, data: 'x' }))
    expect([one.left.length, one.comparer.waiting]).toEqual([2, 0])
  })

  it('what is sent again and again is kept once', () => {
    const one = begun()
    for (let n = 0; n < 3000; n += 1) one.secondary(tcp({ seq: 100 + (n % 3), ack: 1, data: 'abcdef'.slice(n % 3, 4) }))
    expect(one.diverged).toBeUndefined()
    expect(one.primary(tcp({ seq: 100, ack: 1, data: 'abcd' })).left.length).toBe(1)
  })

  it('a new connection of the same ports is not mixed up with what is left of the one before', () => {
    const one = begun().primary(tcp({ seq: 100, ack: 1, data: 'x' })).primary(tcp({ seq: 7, ack: 70, signs: 'S' })).secondary(tcp({ seq: 7, ack: 70, signs: 'S' }))
    expect([one.left, one.diverged]).toEqual([[], 'differs'])
  })

  it('a new connection of the same ports begins anew, whoever is first', () => {
    const again = tcp({ seq: 7, ack: 70, signs: 'S' })
    const data = tcp({ seq: 8, ack: 70, data: 'again' })
    for (const steps of ['ppss', 'spsp', 'ssp', 'psps']) {
      const one = begun()
      const [mine, theirs] = [[again, data], [again, data]]
      for (const step of `${steps}sspp`) {
        const frame = (step === 'p' ? mine : theirs).shift()
        if (frame !== undefined) one[step === 'p' ? 'primary' : 'secondary'](frame)
      }
      expect([steps, one.left, one.diverged]).toEqual([steps, [again, data], undefined])
    }
  })
})
