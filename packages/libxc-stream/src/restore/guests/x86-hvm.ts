import { PAGE, viewOf, XC } from '@xen-replication/format'
import type { GuestForRestore } from '@xen-replication/hypervisor'
import { disconnectConsole } from '../console-ring.ts'
import type { Populator } from '../populate.ts'
import type { RecordHead } from '../record-head.ts'
import type { RecordRule } from '../record-rule.ts'
import { hex, refused, type RestoreError, type StreamPlace } from '../restore-error.ts'
import { withPage } from '../with-page.ts'
import type { GuestTarget, RingFrames } from './guest-target.ts'

/** Indexes of HVM parameters. Source: public hvm/params.h. */
const PARAM = { STORE_PFN: 1, STORE_EVTCHN: 2, PAE_ENABLED: 4, IOREQ_PFN: 5, BUFIOREQ_PFN: 6, CONSOLE_PFN: 17, CONSOLE_EVTCHN: 18 } as const

/** Physical addresses have 52 bits at most, so frame numbers 40. */
const PFN_LIMIT = 2 ** 40

/** HVM and PVH. */
export class HvmTarget implements GuestTarget {
  readonly kind = 'hvm'
  readonly holes = 'passed-over'
  readonly rules: ReadonlyMap<number, RecordRule>
  readonly #guest: GuestForRestore
  readonly #populator: Populator
  #context = new Uint8Array(0)
  #rings: RingFrames = { store: 0, console: 0 }

  /** @param populator knows which pages there are. */
  constructor(guest: GuestForRestore, populator: Populator) {
    this.#guest = guest
    this.#populator = populator
    this.rules = new Map<number, RecordRule>([
      [XC.HVM_CONTEXT, { check: checkContext, apply: (body) => void (this.#context = body) }],
      [XC.HVM_PARAMS, { check: checkParams, apply: (body) => this.#setParams(body) }],
    ])
  }

  mayHave(pfn: number, type: number): boolean {
    return pfn < PFN_LIMIT || type === PAGE.XTAB || type === PAGE.BROKEN
  }

  pageRefused(pfn: number, place: StreamPlace): RestoreError {
    return refused('XC_PFN_UNADDRESSABLE', place, `pfn ${hex(pfn)}`)
  }

  setType(): void {
    // Pages of these guests are all alike.
  }

  frame(pfn: number): number {
    return pfn
  }

  tableLevel(): number {
    return 0
  }

  localise(): Promise<void> {
    return Promise.resolve()
  }

  /** The context is the hypervisor's to judge, so it goes to it as it is, even when none came. */
  async complete(): Promise<RingFrames> {
    const { cpu, rings } = this.#guest
    await cpu.setHvmParam(PARAM.STORE_EVTCHN, BigInt(rings.store.port))
    await cpu.setHvmParam(PARAM.CONSOLE_EVTCHN, BigInt(rings.console.port))
    await cpu.setHvmContext(this.#context)
    return this.#rings
  }

  async #setParams(body: Uint8Array): Promise<void> {
    const view = viewOf(body)
    for (let at = 8; at < body.length; at += 16) await this.#setParam(Number(view.getBigUint64(at, true)), view.getBigUint64(at + 8, true))
  }

  async #setParam(index: number, value: bigint): Promise<void> {
    const gfn = Number(value)
    switch (index) {
      case PARAM.PAE_ENABLED: // of old savers; nobody has it any more
        return
      case PARAM.STORE_PFN:
        this.#rings = { ...this.#rings, store: gfn }
        await this.#clear(gfn)
        break
      case PARAM.CONSOLE_PFN:
        this.#rings = { ...this.#rings, console: gfn }
        await this.#clear(gfn, disconnectConsole)
        break
      case PARAM.IOREQ_PFN:
      case PARAM.BUFIOREQ_PFN:
        await this.#clear(gfn)
    }
    await this.#guest.cpu.setHvmParam(index, value)
  }

  /** Empties a ring, whose other end is new. Pages that have not come yet will bring their content. */
  async #clear(gfn: number, then: (page: Uint8Array) => void = () => undefined): Promise<void> {
    if (!this.#populator.has(gfn)) return
    await withPage(this.#guest.memory, gfn, (page) => {
      page.fill(0)
      then(page)
    })
  }
}

function checkContext({ length }: Uint8Array, head: RecordHead): void {
  if (length === 0) throw refused('XC_HVM_CONTEXT_EMPTY', head)
}

function checkParams(body: Uint8Array, head: RecordHead): void {
  if (body.length < 8) throw refused('XC_PARAMS_SHORT', head, `${body.length} bytes`)
  const count = viewOf(body).getUint32(0, true)
  if (body.length !== 8 + 16 * count) throw refused('XC_PARAMS_LENGTH', head, `${count} parameters in ${body.length} bytes`)
}
