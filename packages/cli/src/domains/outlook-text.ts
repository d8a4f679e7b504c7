import type { Outlook } from '@xen-replication/toolstack'
import { bytesText, durationText } from '../output/units.ts'

export const rateText = (bytesPerSecond: number): string => `${bytesText(Math.round(bytesPerSecond))}/s`

/** What a live save is heading for, and what could be done about it. */
export function outlookText({ round, dirtyRate, sendRate, pauseMs }: Outlook): string {
  return `round ${round + 1} has no less to send than the one before: the guest writes ${rateText(dirtyRate)}, the link takes ${rateText(sendRate)}; it will stand for about ${durationText(pauseMs)}. A faster link, more --bandwidth or less work for the guest makes that shorter`
}
