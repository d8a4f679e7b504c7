import type { Divergence } from '@xen-replication/hypervisor'
import { costOf, type Flow, type Held } from './flow.ts'
import { sameParts, type Part, type Sent } from './sent.ts'

type Whole = Extract<Sent, { readonly kind: 'whole' }>

/** `any`: a packet may meet any of the other side's that wait, since networks change their order, too; `same`: only the first. */
export type Order = 'any' | 'same'

/** Packets that are compared as wholes. One of the primary's differs when the secondary has sent something and not that. Source: colo-compare. */
export class WholeFlow implements Flow<Whole> {
  #primary: { readonly held: Held; readonly body: Part }[] = []
  #bytes = 0
  readonly #order: Order
  #secondary: { readonly at: number; readonly body: Part }[] = []

  constructor(order: Order) {
    this.#order = order
  }

  get bytes(): number {
    return this.#bytes
  }

  get idle(): boolean {
    return this.#primary.length === 0 && this.#secondary.length === 0
  }

  get oldest(): number | undefined {
    const [first, other] = [this.#primary[0]?.held.at, this.#secondary[0]?.at]
    return first === undefined || other === undefined ? (first ?? other) : Math.min(first, other)
  }

  get longest(): number {
    return Math.max(this.#primary.length, this.#secondary.length)
  }

  primary({ body }: Whole, held: Held): void {
    this.#bytes += costOf(body.bytes)
    this.#primary.push({ held, body })
  }

  secondary({ body }: Whole, at: number): void {
    this.#bytes += costOf(body.bytes)
    this.#secondary.push({ at, body })
  }

  compare(released: Held[]): Divergence | undefined {
    for (;;) {
      const first = this.#primary[0]
      if (first === undefined || this.#secondary.length === 0) return undefined
      const same = this.#secondary.findIndex(({ body }) => sameParts(first.body, body))
      if (same < 0 || (same > 0 && this.#order === 'same')) return 'differs'
      this.#secondary.splice(same, 1)
      this.#primary.shift()
      this.#bytes -= 2 * costOf(first.body.bytes)
      released.push(first.held)
    }
  }

  checkpoint(): readonly Held[] {
    const waited = this.#primary.map(({ held }) => held)
    this.#primary = []
    this.#secondary = []
    this.#bytes = 0
    return waited
  }
}
