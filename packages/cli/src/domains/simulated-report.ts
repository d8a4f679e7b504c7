import { ReportFile } from '@xen-replication/observers'

/** Milliseconds, who, and what: a line of the story of `xr simulate -v`. */
const LINE = /^ *(\d+(?:\.\d+)?)  (\S+) +(.*)$/

/** Writes the page about one simulated run. @throws ObserverError OBSERVER_REPORT */
export async function writeSimulatedReport(path: string, title: string, story: readonly string[]): Promise<void> {
  const file = new ReportFile({ path, title, originMs: 0, clock: 'virtual' })
  for (const line of story) {
    const [, at = '0', who = '', what = ''] = LINE.exec(line) ?? []
    file.report.tell(Number(at), who, what, who === 'VIOLATED' ? 'bad' : who === 'trouble' ? 'turn' : 'plain')
  }
  await file.close()
}
