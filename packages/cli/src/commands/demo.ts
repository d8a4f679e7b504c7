import { interrupted, usageError } from '../cli-error.ts'
import { reportOption, reportPath } from '../domains/observer-options.ts'
import { switchOption, type Verb } from './command.ts'

export const verb: Verb = {
  args: [
    { name: 'PART', what: 'only this part: the demonstration starts its primary so, as a process of its own', choices: ['primary'], optional: true },
    { name: 'FOLDER', what: 'with a part: where its link and its arbiter are', optional: true },
  ],
  options: [{ flags: '--migrate', what: 'instead: a guest is saved to an image, the image is checked, and the guest moves to a second host' }, reportOption],
  about: [
    'Shows in a few seconds, without root and without Xen, how a guest outlives its host: a simulated server is protected by Remus, its host, which is a process of its own, is killed with kill -9 at a random moment, and the backup takes over. A client outside looks whether anything it was told is lost. Everything happens in a temporary folder that is removed at the end.',
    'Exit status: 0 when no acknowledged request is lost, else 1.',
  ],
  examples: [
    ['xr demo --report demo.html', 'and a page with plots of every epoch and the story of the failover'],
    ['xr demo --migrate', 'two simulated hosts, a guest, an image and a migration'],
  ],
  run: async (ctx, [part, folder], options) => {
    const report = reportPath(options, ctx)
    const migrate = switchOption(options, 'migrate')
    if (migrate && (report !== undefined || part !== undefined)) throw usageError('--migrate stands alone', 'a page is written about a failover')
    if (part !== undefined && folder === undefined) throw usageError('demo primary: which folder?', '`xr demo` starts it by itself')
    const { signal } = ctx
    try {
      if (migrate) return await (await import('../domains/demo-migrate.ts')).demoMigrate(ctx)
      if (folder !== undefined) return await (await import('../domains/demo-primary.ts')).demoPrimary(ctx, folder)
      return await (await import('../domains/demo-failover.ts')).demoFailover(ctx, report)
    } catch (error) {
      throw signal.aborted ? interrupted() : error // whatever part of it the signal met
    }
  },
}
