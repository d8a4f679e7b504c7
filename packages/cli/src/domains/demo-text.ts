import { countText, durationText } from '../output/units.ts'
import type { DemoOutcome } from './demo-outcome.ts'
import { DEMO_INTERVAL_MS, DEMO_MEMORY_MIB, REQUESTS_A_SECOND } from './demo-primary.ts'
import type { DemoTimeline } from './demo-timeline.ts'

export const startText = (pid: number): string => `1. Two simulated hosts. The primary is a process of its own, ${pid}; in its memory there is a server,
   HVM, ${DEMO_MEMORY_MIB} MiB, that serves ${REQUESTS_A_SECOND} requests a second and changes its memory all the while.

2. Remus protects it: first all of its memory is copied to the backup, then what changes, every ${DEMO_INTERVAL_MS} ms.
   The server's answers are held back until the backup has acknowledged the state they came from.
`

export const protectedText = (): string => '   The backup has a whole copy: from here on the server is protected.\n'

export const servedText = ({ client }: DemoTimeline): string => `   A client has had answers to ${countText(client.answered)} requests.\n\n3. kill -9: the primary dies in the midst of it, and the server with it.\n`

export const killText = ({ client, served }: DemoTimeline): string => `   It had served ${countText(served)} requests or more; ${countText(client.answered)} answers had left the host.\n`

export function takenText(timeline: DemoTimeline): string {
  const after = (moment: 'lost' | 'granted' | 'runs'): string => `+${durationText((timeline.at(moment) ?? NaN) - (timeline.at('killed') ?? NaN))}`.padEnd(11)
  return `   ${after('lost')}the backup finds the primary lost and asks the arbiter, a folder that both hosts share
   ${after('granted')}the arbiter grants it the server, for ever: the primary would be denied if it came back
   ${after('runs')}the server runs at the backup, from the last acknowledged epoch

`
}

export function verdictText({ epochs, answeredBefore, answered, knownThere, lost, undone, unanswered, longestGapMs }: DemoOutcome, seconds: number, report: string | undefined): string {
  const retried = unanswered === 0 ? '' : `   ${countText(unanswered)} answers died with the host; the server has those requests, and a client that asks again is answered.\n`
  return `4. What was lost? The backup had acknowledged ${countText(epochs)} epochs; the server knows ${countText(knownThere)} requests there.
   ${lost === 0 ? 'No acknowledged request is lost' : `${countText(lost)} ACKNOWLEDGED REQUESTS ARE LOST`}: ${countText(answeredBefore)} had been answered before the kill, up to that number it has them all.
   ${countText(undone)} or more were served after the last checkpoint and are undone; nobody outside has seen an answer to them.
${retried}   Since then it has answered ${countText(answered - answeredBefore)} more. The longest time without an answer was ${durationText(longestGapMs)}.

That took ${durationText(seconds * 1000)}; the hosts are gone again.${report === undefined ? ' With --report FILE.html there is a page about it.' : ` The page about it: ${report}`}
To go on by yourself, each line in a terminal of its own:
  xr --mock-host /tmp/b receive --arbiter file:/tmp/arbiter unix:/tmp/s
  xr --mock-host /tmp/a create demo && xr --mock-host /tmp/a remus --arbiter file:/tmp/arbiter demo unix:/tmp/s
`
}
