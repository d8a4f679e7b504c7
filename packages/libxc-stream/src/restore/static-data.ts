import { XC } from '@xen-replication/format'
import type { CpuStateWriter } from '@xen-replication/hypervisor'
import { recordName, type RecordHead } from './record-head.ts'
import type { RecordRule } from './record-rule.ts'
import type { RestoreObserver } from './restore-event.ts'
import { refused, type StreamPlace } from './restore-error.ts'

const NOTHING = new Uint8Array(0)

/** What does not change while the guest runs: it comes first, and takes effect when all of it is there. */
export class StaticData {
  readonly #cpu: CpuStateWriter
  readonly #observe: RestoreObserver
  #policy: { cpuid: Uint8Array; msr: Uint8Array } = { cpuid: NOTHING, msr: NOTHING }
  #over = false
  /** Version of the image: the end of static data is told from version 3 on. */
  version = 3

  constructor(cpu: CpuStateWriter, observe: RestoreObserver) {
    this.#cpu = cpu
    this.#observe = observe
  }

  /** Records of this part by type. */
  readonly rules: ReadonlyMap<number, RecordRule> = new Map([
    [XC.X86_CPUID_POLICY, this.#policyRule('cpuid', 24, 'XC_CPUID_LENGTH')],
    [XC.X86_MSR_POLICY, this.#policyRule('msr', 16, 'XC_MSR_LENGTH')],
    [XC.STATIC_DATA_END, { check: () => undefined, apply: (_, head) => this.#end(head) }],
  ])

  /**
   * Called for records that only make sense behind the static data. Version 2 has no mark for its end: the first of them is it.
   *
   * @throws RestoreError XC_STATIC_END_MISSING
   */
  async requireOver(head: RecordHead): Promise<void> {
    if (this.#over) return
    if (this.version > 2) throw refused('XC_STATIC_END_MISSING', head, recordName(head))
    await this.#finish()
  }

  /** @throws RestoreError XC_STATIC_END_ABSENT when a policy came and would be lost. */
  requireUsed(place: StreamPlace): void {
    const { cpuid, msr } = this.#policy
    if (!this.#over && cpuid.length + msr.length > 0) throw refused('XC_STATIC_END_ABSENT', place, 'its CPU policy would be lost')
  }

  async #end(head: RecordHead): Promise<void> {
    if (this.#over) throw refused('XC_STATIC_END_TWICE', head)
    await this.#finish()
  }

  async #finish(): Promise<void> {
    this.#over = true
    await this.#cpu.setPolicy(this.#policy)
    this.#observe({ type: 'static-data', missing: (['cpuid', 'msr'] as const).filter((part) => this.#policy[part].length === 0) })
  }

  #policyRule(part: 'cpuid' | 'msr', entry: number, code: 'XC_CPUID_LENGTH' | 'XC_MSR_LENGTH'): RecordRule {
    return {
      check: (body, head) => {
        if (body.length === 0 || body.length % entry !== 0) throw refused(code, head, `${body.length} bytes`)
      },
      apply: (body, head) => {
        if (this.#over) throw refused('XC_POLICY_LATE', head, recordName(head))
        this.#policy = { ...this.#policy, [part]: body }
      },
    }
  }
}
