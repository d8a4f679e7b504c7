/**
 * What the toolstack can do for any strategy, and what each means. "Peer" says that the effect needs the link and may throw LINK_LOST.
 */
export const sharedEffects = {
  precopy: 'Peer. Primary: sends memory while the guest runs.',
  suspend: 'Has the guest stand still; nothing happens when it does already.',
  postsuspend: 'Ends an epoch at every checkpoint device.',
  stage: 'Primary: copies what the epoch changed into the staging area, the guest standing.',
  preresume: 'Tells every checkpoint device that the guest is about to go on.',
  resume: 'Lets the guest go on; nothing happens when it runs.',
  stand: 'Pauses the guest at once, without asking it, until `resume`.',
  'send-staged': 'Peer. Primary: writes what is staged to the peer, memory first, then devices, then the end of the checkpoint.',
  'send-memory': 'Peer. Primary: writes changed memory and vCPU state straight from the standing guest.',
  'send-checkpoint': 'Peer. Primary: writes device state and the end of the checkpoint.',
  'read-checkpoint': 'Peer. Secondary: reads one checkpoint into the hold-back and yields checkpoint-read.',
  store: 'Secondary: makes the held checkpoint safe, so that it may be acknowledged.',
  apply: 'Secondary: puts the held checkpoint into the guest; one that is to run has its own writes known from then on.',
  drop: 'Secondary: forgets a checkpoint that was not read to its end.',
  'send-dirty-list': 'Peer. Secondary: sends the pages its own guest wrote.',
  'read-dirty-list': 'Peer. Primary: reads them and adds them to those to send.',
  commit: 'Lets checkpoint devices release the effects of the acknowledged epoch, and what waits to be compared leave.',
  expect: 'Peer. Waits for the next message and yields it as an event of its name; a secondary finds checkpoint-new in the stream.',
  arbitrate: 'Asks the arbiter for the right to run alone and yields won, lost or unknown.',
  'take-over': 'Makes this side the only one: names, disks, held output. Only after won, or failover; yields fenced when what was won no longer holds.',
  destroy: 'Destroys the guest on this side; its held output is never seen.',
  'release-guest': 'Ends replication and leaves the guest as it is; held output is released.',
} as const

/** `send:NAME` sends the peer the message NAME. */
export type SharedEffect = keyof typeof sharedEffects | `send:${string}`

/** What the toolstack itself may say happened. A peer's messages are events too, named as the strategy likes. */
export const sharedEvents = {
  begin: 'Everything is open and ready.',
  'checkpoint-read': 'A checkpoint is held completely.',
  'peer-lost': 'The link is gone or silent.',
  won: 'The arbiter grants the right to run alone.',
  lost: 'The arbiter denies it; or cannot be asked, where a table has no answer to unknown.',
  unknown: 'The arbiter could not be asked, or did not answer.',
  fenced: 'What was won does not hold any more, or that cannot be found out.',
  failed: 'An effect failed for another reason than the link; told where a table has an answer to it.',
  stop: 'The operator ends replication.',
  failover: 'The operator wants the secondary to take over.',
} as const

export type SharedEvent = keyof typeof sharedEvents

/** Whether the toolstack performs the effect; otherwise the strategy does. */
export function isSharedEffect(effect: string): effect is SharedEffect {
  return effect.startsWith('send:') || Object.hasOwn(sharedEffects, effect)
}

/** Whether the effect needs the peer, as far as the toolstack performs it. */
export function needsPeer(effect: string): boolean {
  if (effect.startsWith('send:')) return true
  return Object.hasOwn(sharedEffects, effect) && sharedEffects[effect as keyof typeof sharedEffects].startsWith('Peer.')
}
