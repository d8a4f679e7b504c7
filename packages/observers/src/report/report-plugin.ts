import { definePlugin, type Plugin } from '@xen-replication/plugin-api'
import { performance } from 'node:perf_hooks'
import { ReportFile } from './report-file.ts'

/** `--report FILE.html`: one page with plots of every epoch and the story of what happened. */
export const reportPlugin: Plugin = definePlugin({
  name: '@xen-replication/observers/report',
  api: 1,
  contribute: (to) =>
    to.observer('report', {
      summary: 'writes a page about what happened: --report, or the setting report = FILE.html',
      open: ({ report, 'report-title': title }) => Promise.resolve(report === undefined ? undefined : new ReportFile({ path: report, title: title ?? 'xr', originMs: performance.timeOrigin })),
    }),
})
