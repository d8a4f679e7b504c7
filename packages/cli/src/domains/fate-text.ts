import type { GuestFate } from '@xen-replication/toolstack'

/** How a guest stands, for the end of a sentence. */
export function fateText(guest: string | undefined, side: 'source' | 'target', fate: GuestFate): string {
  const name = guest ?? 'the guest'
  return side === 'source' ? ofSource(name)[fate] : ofTarget(name)[fate]
}

const ofSource = (guest: string): Readonly<Record<GuestFate, string>> => ({
  runs: `${guest} runs on here`,
  paused: `${guest} is here, paused`,
  suspended: `${guest} stands suspended here`,
  gone: `${guest} is gone from here`,
  ended: `${guest} has ended`,
  unknown: `how ${guest} stands cannot be found out, see \`xr list\``,
})

const ofTarget = (guest: string): Readonly<Record<GuestFate, string>> => ({
  runs: `${guest} runs here`,
  paused: `${guest} is here, paused`,
  suspended: `${guest} stands suspended here`,
  gone: `nothing of ${guest} is left here`,
  ended: `${guest} has ended here`,
  unknown: `what is left of ${guest} here cannot be found out, see \`xr list\``,
})
