import type { Outlook } from '@xen-replication/toolstack'
import { bytesText, durationText } from '../output/units.ts'

export const rateText = (bytesPerSecond: number): string => `${bytesText(Math.round(bytesPerSecond))}/s`

/** What a live save is heading for, and what could be done about it. */
export function outlookText({ round, dirtyRate, sendRate, pauseMs }: Outlook): string {
  return `the guest writes ${rateText(dirtyRate)} and the link takes ${rateText(sendRate)}: after round ${round + 1} about as much will be left as now; it will stand for about ${durationText(pauseMs)}. A faster link, more --bandwidth or less work for the guest makes that shorter`
}
