import { packetComparer } from '@xen-replication/comparer'
import type { Clock, DomainSummary, HypervisorBackend, RemoteComparator } from '@xen-replication/hypervisor'
import { ReplError, type OptionValues } from '@xen-replication/plugin-api'
import { ComparedOutput, RemoteOutput, type OutputCheck, type SecondaryPacket, type TappedCard } from './compared-output.ts'

/** What a link has beside where the peer runs the guest too. `LockstepSender` of the session is one. */
export interface LockstepLink {
  dirtyPfns(): Promise<readonly number[]>
  flush(): Promise<void>
  onPackets(told: (packets: readonly SecondaryPacket[]) => void): void
}

export interface OutputRequest {
  readonly host: { readonly backend: HypervisorBackend; readonly clock: Clock }
  readonly options: OptionValues
  readonly domains: readonly DomainSummary[]
  /** Reaches the QEMU that compares, where one may. */
  readonly compareAt?: ((url: string) => Promise<RemoteComparator>) | undefined
}

/**
 * Who compares the output of guests that run on both hosts, as the options say; undefined where nobody does.
 *
 * @throws ReplError REPL_OPTION; BackendError BACKEND_UNSUPPORTED; what reaching a QEMU fails with
 */
export async function openOutput({ host, options, domains, compareAt }: OutputRequest): Promise<OutputCheck | undefined> {
  if (options['no-compare'] === true) return undefined
  if (typeof options['proxy'] === 'string' && options['proxy'] !== '') {
    if (compareAt === undefined || domains.length > 1) throw new ReplError('REPL_OPTION', 'a QEMU compares for one guest, between hosts that are real', { hint: 'leave out --proxy' })
    return new RemoteOutput(await compareAt(options['proxy']))
  }
  const cards: TappedCard[] = []
  for (const [member, { domId }] of domains.entries()) for (const [card, tap] of (await host.backend.openTaps(domId)).entries()) cards.push({ member, card, tap })
  return new ComparedOutput({ cards, comparator: packetComparer(), clock: host.clock })
}
