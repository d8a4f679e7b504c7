import { usageError } from '../cli-error.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Verb } from './command.ts'

export const verb: Verb = {
  args: [
    { name: 'DIR', what: 'the store of `xr qemu-backup`' },
    { name: 'COMMAND', what: 'behind `--`: the command line of the primary', many: true },
  ],
  options: [],
  about: [
    'Starts an unmodified QEMU from the last complete checkpoint of a backup; `-incoming` is added to its command line. Before that, make sure that the primary is dead: nobody here can know.',
    'Ends when QEMU ends, with its exit status. The store is left as it is.',
  ],
  examples: [['xr qemu-restore /srv/guest -- qemu-system-x86_64 -machine pc -m 4104k', 'goes on where the backup ends']],
  run: async (ctx, [dir = '', ...command]) => {
    if (ctx.json) throw usageError('standard output is that of QEMU', 'leave out --json')
    if (command[0] === undefined) throw usageError('what is to be started?', 'give the command line of the primary behind `--`')
    const { openBackup, startQemu } = await import('@xen-replication/qemu')
    const backup = await openBackup(dir)
    const qemu = await startQemu(command, backup.state).finally(() => backup.close())
    if (ctx.verbosity >= 0) ctx.stderr.writeNow(`xr: QEMU goes on from checkpoint ${backup.epoch} of ${new Date(backup.at).toISOString()}, as process ${qemu.pid}\n`)
    const stop = (): void => qemu.kill('SIGTERM')
    ctx.signal.addEventListener('abort', stop, { once: true })
    const { status, signal } = await qemu.exit
    ctx.signal.removeEventListener('abort', stop)
    if (signal !== undefined) return exitCodes.failed
    return status === 0 ? exitCodes.done : exitCodes.failed
  },
}
