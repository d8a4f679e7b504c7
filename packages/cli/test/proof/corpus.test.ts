import { createMockHost, virtualClock, type GuestView, type MockHost } from '@xen-replication/backend-mock'
import { ByteReader, configOf, imageOfBytes, PAGE_SIZE, readSnapshot, sourceOfBytes, tableLevel, viewOf, XC, type Snapshot } from '@xen-replication/format'
import type { DomId, GuestKind } from '@xen-replication/hypervisor'
import { openStreamRestorer, readStream } from '@xen-replication/libxl-stream'
import { readFileSync } from 'node:fs'
import { brotliDecompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { differences } from '../domains/guest-diff.ts'
import { imageOf } from './streams.ts'

const at = (name: string): URL => new URL(`../../../format/corpus/${name}`, import.meta.url)
const corpus = JSON.parse(readFileSync(at('index.json'), 'utf8')) as readonly { readonly name: string; readonly checkpoints: number }[]

/** A stream captured from a real Xen, and the configuration before it where there is one. */
function captured(name: string): { readonly stream: Buffer; readonly config: string | undefined } {
  const bytes = brotliDecompressSync(readFileSync(at(`${name}.skel.br`)))
  if (bytes[0] !== 0x58) return { stream: bytes, config: undefined }
  const end = 48 + bytes.readUInt32LE(44)
  return { stream: bytes.subarray(end), config: Buffer.from(configOf(bytes.subarray(48, end)) ?? []).toString() }
}

const PRESENT = 1
const FRAME_BITS = 0x000f_ffff_ffff_f000n

/** Entries of a top table that are Xen's own, in bytes. Source: ROOT_PAGETABLE_FIRST_XEN_SLOT and _LAST_XEN_SLOT. */
const XENS = [256 * 8, 272 * 8] as const

/** A page table of a guest as an image would hold it: entries name pfns. */
function normalised(page: Uint8Array, level: number, pfnOf: ReadonlyMap<number, number>): Uint8Array {
  const bytes = page.slice()
  const view = viewOf(bytes)
  if (level === 4) bytes.fill(0, ...XENS)
  for (let i = 0; i < PAGE_SIZE; i += 8) {
    if (((bytes[i] as number) & PRESENT) === 0) continue
    const entry = view.getBigUint64(i, true)
    view.setBigUint64(i, (entry & ~FRAME_BITS) | (BigInt(pfnOf.get(Number((entry & FRAME_BITS) >> 12n)) ?? -1) << 12n), true)
  }
  return bytes
}

/** In what the pages of a restored PV guest are not those of the image. */
function pageTrouble(view: GuestView, stream: Buffer, { pages, p2mFrames }: Snapshot): readonly string[] {
  const pfnOf = new Map(Array.from({ length: view.top }, (_, pfn) => [view.frame(pfn) ?? -1, pfn]))
  const trouble: string[] = []
  let written = 0
  for (const { pfn, type, held, at } of pages.contents()) {
    const page = view.page(pfn)
    const level = tableLevel(held)
    const content = stream.subarray(at, at + PAGE_SIZE)
    if (page === undefined) trouble.push(`page ${pfn} is not there`)
    else if (tableLevel(type) > 0 && view.type(pfn) !== type) trouble.push(`page ${pfn} is of type ${view.type(pfn)}, not ${type}`)
    else if (Buffer.compare(content, level > 0 ? normalised(page, level, pfnOf) : page) !== 0) {
      if (content.every((byte) => byte === 0)) written += 1 // a page without content in these images, which the restorer has written
      else trouble.push(`page ${pfn} is another one`)
    }
  }
  const p2mPages = p2mFrames.reduce((sum, { length }) => sum + (length - 8) / 8, 0)
  return written > p2mPages + 2 ? [...trouble, `${written} pages were written: more than start info, console and p2m`] : trouble
}

/** Parts of vCPUs that no host changes. */
const PARTS = { extended: XC.X86_PV_VCPU_EXTENDED, xsave: XC.X86_PV_VCPU_XSAVE, msrs: XC.X86_PV_VCPU_MSRS } as const

async function vcpuTrouble(host: MockHost, domId: DomId, stream: Buffer, { vcpus }: Snapshot): Promise<readonly string[]> {
  const guest = await host.openForSave(domId)
  const trouble: string[] = []
  for (let id = 0; id <= guest.facts.maxVcpuId; id += 1) {
    const vcpu = await guest.cpu.pvVcpu(id)
    const records = vcpus.get(id)
    if ((vcpu === undefined) !== (records === undefined)) trouble.push(`vCPU ${id} is ${vcpu === undefined ? 'not ' : ''}there`)
    for (const [part, type] of Object.entries(PARTS)) {
      const place = records?.get(type)
      const bytes = place === undefined ? Buffer.alloc(0) : stream.subarray(place.at + 8, place.at + place.length)
      if (vcpu !== undefined && Buffer.compare(bytes, vcpu[part as keyof typeof PARTS]) !== 0) trouble.push(`${part} of vCPU ${id}`)
    }
  }
  await guest.close()
  return trouble
}

/** A PV guest that has not run yet has a p2m of the old host, so that it cannot be saved and compared; it is looked into instead. */
async function pvTrouble(host: MockHost, domId: DomId, stream: Buffer): Promise<readonly string[]> {
  const snapshot = await readSnapshot(imageOfBytes(stream))
  return [...(await host.inspect(domId, (view) => pageTrouble(view, stream, snapshot))), ...(await vcpuTrouble(host, domId, stream, snapshot))]
}

/** How the image is cut into records is no part of the guest. */
const trouble = async (kind: GuestKind, host: MockHost, domId: DomId, stream: Buffer): Promise<readonly string[]> =>
  kind === 'pv' ? pvTrouble(host, domId, stream) : (await differences(kind, stream, await imageOf(host, domId))).filter((one) => !one.startsWith('record '))

describe('a stream captured from a real Xen', () => {
  for (const { name, checkpoints } of corpus) {
    const kind = (/^[a-z]+/.exec(name) as RegExpExecArray)[0] as GuestKind
    const remus = name.includes('remus')
    it(`${name} becomes ${remus && checkpoints === 0 ? 'nothing at all, because no checkpoint is whole' : 'the same guest on the simulated host'}`, async () => {
      const host = createMockHost({ clock: virtualClock() })
      const { stream, config = '{}' } = captured(name)
      const guest = await host.openForRestore({ kind, name: 'demo', config })
      const restorer = openStreamRestorer(new ByteReader(sourceOfBytes(stream)), guest, { streamType: remus ? 'remus' : 'plain' })
      const stop = await readStream(restorer)
      expect(stop.why).toBe(!remus ? 'end' : checkpoints > 0 ? 'failover' : 'lost')
      if (stop.why === 'lost') return expect([await host.list(), host.leaks()]).toEqual([[], []])
      if (stop.why === 'failover') await restorer.complete()
      await guest.close()
      expect(host.leaks()).toEqual([])
      expect(await trouble(kind, host, guest.facts.domId, stream)).toEqual([])
      await host.lifecycle(guest.facts.domId).destroy()
      return expect([await host.list(), host.leaks()]).toEqual([[], []])
    })
  }
})
