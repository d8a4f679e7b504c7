import { addressCases, linkCases, linkOf, listenCases, storedLinkOf, type Case, type LinkBench, type LinkTraits, type ListenBench } from '@xen-replication/compliance'
import type { Transport } from '@xen-replication/plugin-api'
import { describe, expect, it } from 'vitest'
import { endOf, MemoryPipe } from './tiny/memory-pipe.ts'
import { memoryTransport } from './tiny/memory-transport.ts'

const live: LinkTraits = { duplex: true, kind: 'live', loss: 'told' }
const stored: LinkTraits = { duplex: false, kind: 'stored', loss: 'told' }

const open = (fault = '') => (): Promise<ListenBench> => Promise.resolve({ transport: memoryTransport(fault), url: 'mem:a', close: () => Promise.resolve() })
const link = (fault = '') => async (): Promise<LinkBench> => linkOf(await open(fault)())

/** A drawer: what is put in and ended can be taken out. */
function drawer(fault = ''): Transport {
  const held = new Map<string, MemoryPipe>()
  return {
    duplex: false,
    dial: (url) => {
      const pipe = new MemoryPipe(fault === '' ? 'no-limit' : fault)
      const back = new MemoryPipe('')
      const near = endOf(pipe, back, fault)
      if (fault === 'keeps-halves') held.set(url, pipe)
      return Promise.resolve({
        ...near,
        end: async () => {
          await near.end()
          if (fault !== 'asks-nothing') back.finish('ended')
          if (fault !== 'forgets') held.set(url, pipe)
        },
        close: () => Promise.resolve(fault === 'keeps-halves' ? pipe.finish('ended') : near.close()),
      })
    },
    listen: (url) => Promise.resolve({
      url,
      accept: () => {
        const pipe = held.get(url)
        return pipe === undefined ? Promise.reject(new Error('nothing there')) : Promise.resolve(endOf(new MemoryPipe(''), pipe, ''))
      },
      close: () => Promise.resolve(),
    }),
  }
}
const drawerLink = (fault = '') => (): Promise<LinkBench> => storedLinkOf({ transport: drawer(fault), url: 'mem:a', close: () => Promise.resolve() })

describe('links that keep their promises', () => {
  for (const one of linkCases(live)) it(`live: ${one.name}`, () => one.run(link()))
  for (const one of linkCases({ duplex: false, kind: 'live', loss: 'as-end' })) it(`one way: ${one.name}`, () => one.run(link('loss-as-end')))
  for (const one of linkCases(stored)) it(`stored: ${one.name}`, () => one.run(drawerLink()))
  for (const one of [...listenCases, ...addressCases]) it(one.name, () => one.run(open()))
})

/** For each case a way to break it. */
const liveMutants: Readonly<Record<string, string>> = {
  'a read gives no more than it is asked for, and nothing is lost between reads': 'gives-more loses-rest',
  'writes come out in their order, wherever they are cut': 'swaps',
  'parts of one write come out in their order': 'parts-reversed',
  'a thousand writes of one byte come out as a thousand bytes': 'drops-crumbs',
  'one write of nine megabytes comes out whole': 'cuts-long sticks',
  'three thousand pages in one write come out whole': 'drops-late',
  'large and small parts in one write keep their order': 'mixes-sizes',
  'parts without bytes do no harm': 'empty-fails',
  'bytes may be reused once their write is done': 'keeps-parts',
  'a link that ends without a byte is empty, not broken': 'end-breaks',
  'after the end every read says so': 'end-then-lost',
  'ending twice is the same as once': 'ends-once',
  'nothing can be written after the end': 'writes-after-end',
  'nothing can be written after closing, and closing twice does no harm': 'writes-after-close',
  'nothing can be read after closing, not even what had come': 'reads-after-close',
  'what is written arrives without waiting for more': 'waits-for-much',
  'a sender waits when nobody reads, and goes on when somebody does': 'no-limit',
  'closing ends a read that waits': 'read-hangs',
  'closing ends a write that waits': 'write-hangs',
  'a sender learns that its peer is gone': 'loss-unseen',
  'a reader learns that its peer is gone': 'loss-as-end',
  'one side may end while the other goes on': 'end-closes-both',
  'much goes both ways at once': 'end-closes-both',
  'a question waits for its answer a thousand times': 'drops-crumbs',
}
const storedMutants: Readonly<Record<string, string>> = {
  'what is not ended is not there': 'keeps-halves',
  'closing after the end keeps everything': 'forgets',
  'once it has ended a sender can ask whether all went well': 'asks-nothing',
}
const listenMutants: Readonly<Record<string, string>> = {
  'peers that dial the URL of a listener are accepted, each with its own link': 'last-first',
  'a peer may come before anybody waits, and after': 'late-only',
  'waiting for a peer can be called off, and the listener is none the worse': 'accept-deaf',
  'dialling and listening can be called off beforehand': 'abort-ignored',
  'calling off an operation later does not cut the links it made': 'abort-cuts',
  'closing a listener ends the waiting for peers': 'accept-hangs',
  'nobody is let in once a listener is closed, and the links it gave live on': 'close-cuts lets-in-late',
  'two cannot listen at one address': 'listens-twice',
  'an address is free again once its listener is closed': 'address-kept',
  'a URL without an address is refused': 'any-address',
}

function caught<B>(title: string, cases: readonly Case<B>[], mutants: Readonly<Record<string, string>>, broken: (fault: string) => () => Promise<B>): void {
  describe(title, () => {
    for (const [name, faults] of Object.entries(mutants)) {
      for (const fault of faults.split(' ')) {
        it.concurrent(`${fault} by: ${name}`, async () => {
          const one = cases.find((candidate) => candidate.name === name)
          await expect(one?.run(broken(fault), 2000)).rejects.toThrow()
        }, 60_000)
      }
    }
    it('whichever it is', () => expect(Object.keys(mutants).toSorted()).toEqual(cases.map(({ name }) => name).toSorted()))
  })
}

caught('a link that breaks a promise is caught', linkCases(live), liveMutants, link)
caught('a store that breaks a promise is caught', linkCases(stored).slice(-3), storedMutants, drawerLink)
caught('a listener that breaks a promise is caught', [...listenCases, ...addressCases], listenMutants, open)
