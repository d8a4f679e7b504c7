import { packetComparer } from '@xen-replication/comparer'
import type { Clock, DomainSummary, HypervisorBackend } from '@xen-replication/hypervisor'
import { ReplError, type OptionValues } from '@xen-replication/plugin-api'
import { ComparedOutput, type OutputCheck, type SecondaryPacket, type TappedCard } from './compared-output.ts'

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
}

/**
 * Who compares the output of guests that run on both hosts, as the options say; undefined where nobody does.
 *
 * @throws ReplError REPL_OPTION; BackendError BACKEND_UNSUPPORTED
 */
export async function openOutput({ host, options, domains }: OutputRequest): Promise<OutputCheck | undefined> {
  if (options['no-compare'] === true) return undefined
  if (typeof options['proxy'] === 'string' && options['proxy'] !== '') throw new ReplError('REPL_OPTION', 'no QEMU can compare here yet', { hint: 'leave out --proxy' })
  const cards: TappedCard[] = []
  for (const [member, { domId }] of domains.entries()) for (const [card, tap] of (await host.backend.openTaps(domId)).entries()) cards.push({ member, card, tap })
  return new ComparedOutput({ cards, comparator: packetComparer(), clock: host.clock })
}
