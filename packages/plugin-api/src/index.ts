// What contracts here are made of, so that an author needs one dependency.
export type { AbortSignalLike, Capability, Clock, GuestKind, HypervisorBackend } from '@xen-replication/hypervisor'
export { XrError, isXrError, type ErrorDetail } from '@xen-replication/errors'
export type { Arbiter, Claim, Grant, Verdict } from './arbiter.ts'
export type {
  ArbiterContribution, BackendContribution, Contribution, ContributionKind, ContributionKinds, Contributions, ObserverContribution, Settings,
} from './contributions.ts'
export { isLinkLost, linkCodes, LinkError, type LinkErrorCode } from './link-error.ts'
export type { AnyObservedEvent, GuestFate, ObservedEvent, ObservedEvents, ObservedKind, Observer } from './observer.ts'
export { contributionsOf, definePlugin, isPlugin, PLUGIN_API, type Plugin } from './plugin.ts'
export { pluginCodes, PluginError, type PluginErrorCode } from './plugin-error.ts'
export { awaitFirst, wordWait, type Asked, type Waiting } from './strategy/await-first.ts'
export { deserted, primaryHandsOver, primaryLost, secondaryLeaves, secondaryTakesOver } from './strategy/change-hands.ts'
export { isSharedEffect, needsPeer, sharedEffects, sharedEvents, type SharedEffect, type SharedEvent } from './strategy/effects.ts'
export { drive, go, isEnd, step, type Drive, type Move, type Table } from './strategy/machine.ts'
export { optionValues, type OptionSpec, type OptionValues } from './strategy/option.ts'
export { replCodes, ReplError, type ReplErrorCode } from './strategy/repl-error.ts'
export { defineRole, type EffectOf, type EffectPorts, type EpochFacts, type EventOf, type OwnEffects, type Role, type StateOf, type Strategy } from './strategy/strategy.ts'
export { finish, schemeOf, type Channel, type Listener, type Transport } from './transport.ts'
