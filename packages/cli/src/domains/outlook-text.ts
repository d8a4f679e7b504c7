import type { Outlook } from '@xen-replication/toolstack'
import { bytesText, durationText } from '../output/units.ts'

/** What a live save is heading for, and what could be done about it. */
export function outlookText({ round, dirtyRate, sendRate, pauseMs }: Outlook): string {
  const [writes, takes] = [dirtyRate, sendRate].map((rate) => `${bytesText(Math.round(rate))}/s`)
  return `round ${round + 1} has no less to send than the one before: the guest writes ${writes ?? ''}, the link takes ${takes ?? ''}; it will stand for about ${durationText(pauseMs)}. A faster link, or less work for the guest, makes that shorter`
}
