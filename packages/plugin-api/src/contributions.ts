import type { AbortSignalLike, HypervisorBackend } from '@xen-replication/hypervisor'
import type { Arbiter } from './arbiter.ts'
import type { Observer } from './observer.ts'
import type { Strategy } from './strategy/strategy.ts'
import type { Transport } from './transport.ts'

/** Settings by name, as the user gave them: `{ 'mock-host': '/tmp/a' }`. */
export type Settings = Readonly<Record<string, string | undefined>>

export interface BackendContribution {
  /** One sentence for `xr plugins`. */
  readonly summary: string
  open(settings: Settings, signal: AbortSignalLike): Promise<HypervisorBackend>
}

export interface ArbiterContribution {
  readonly summary: string
  /** @param url as the user gave it: `file:/shared/guest`. */
  open(url: string, signal: AbortSignalLike): Promise<Arbiter>
}

export interface ObserverContribution {
  readonly summary: string
  /** @returns undefined when the settings do not ask for it. */
  open(settings: Settings): Promise<Observer | undefined>
}

/** The five kinds of things a plugin can bring, and what each is. */
export interface ContributionKinds {
  backend: BackendContribution
  transport: Transport
  strategy: Strategy
  arbiter: ArbiterContribution
  observer: ObserverContribution
}

export type ContributionKind = keyof ContributionKinds

/** Where a plugin hands in what it brings, under names that users type: a transport and an arbiter under the scheme of its URLs. */
export type Contributions = { readonly [K in ContributionKind]: (name: string, what: ContributionKinds[K]) => void }

/** One thing that was handed in. */
export type Contribution = { readonly [K in ContributionKind]: { readonly kind: K; readonly name: string; readonly what: ContributionKinds[K] } }[ContributionKind]
