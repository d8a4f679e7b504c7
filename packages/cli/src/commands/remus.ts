import { usageError } from '../cli-error.ts'
import { intervalOption } from '../domains/interval-option.ts'
import { qemuDisksOption } from '../domains/qemu-disks.ts'
import { replicateRequest, replicationOptions } from '../domains/replicate-options.ts'
import { runReplication } from '../domains/run-replication.ts'
import { switchOption, textOption, type Verb } from './command.ts'

export const verb: Verb = {
  args: [
    { name: 'DOM', what: 'id, name or UUID of a guest' },
    { name: 'URL', what: 'where `xr receive` waits on the backup; further guests may stand before it, they share their epochs then', many: true, optional: true },
  ],
  options: [
    { flags: '-i, --interval <TIME>', what: 'from the beginning of one checkpoint to that of the next; a bare number is ms', standard: '200ms' },
    { flags: '--adaptive', what: 'let the interval follow the load; -i is the longest then' },
    { flags: '-b, --blackhole', what: 'send to nobody, to see what checkpoints cost; needs -F' },
    { flags: '-u', what: 'do not compress' },
    { flags: '-n', what: 'do not hold back network output; needs -F' },
    { flags: '-d', what: 'do not hold back disk writes; needs -F' },
    { flags: '-F, --unsafe', what: 'allow what can lose or show what no backup has' },
    { flags: '--peer <WHO>', what: 'what runs at the other end: `xr receive`, or `xl migrate-receive -r`', choices: ['xr', 'xl'], standard: 'xr' },
    qemuDisksOption,
    ...replicationOptions,
  ],
  host: true,
  lines: true,
  about: [
    'Keeps a backup of a running guest that is never more than one interval behind. What the guest sends out is held back until the backup has acknowledged the state it came from, so that nobody outside ever sees what a failover would undo.',
    'When the two sides lose each other, the arbiter decides which of them runs the guest; both are given the same. A side that can reach neither the other one nor the arbiter does not run it. Without an arbiter the guest stays here: the backup takes over only by `xr failover`.',
    '`xr failover DOM` moves the guest to the backup, `xr abort DOM` ends the protection; both from another terminal, on either host. Exit status: 0 when the guest was handed over, 5 when the backup is lost and the guest runs on here, 6 when it may not run here any more, 8 when called off.',
  ],
  examples: [
    ['xr remus --arbiter file:/shared/xr demo tcp://backup:9000', 'to `xr receive --arbiter file:/shared/xr tcp://0.0.0.0:9000` on backup'],
    ['xr remus web db tcp://backup:9000', 'two guests whose states belong together'],
    ['xr remus -b -F demo', 'what checkpoints cost'],
    ['xr remus --qemu-disks /run/demo.qmp,backup:10809,colo0 demo tcp://backup:9000', 'to `xr receive --qemu-disks /run/copy.qmp,0.0.0.0:10809,colo0 …`'],
  ],
  run: (ctx, words, options) => {
    const given = {
      blackhole: switchOption(options, 'blackhole'),
      adaptive: switchOption(options, 'adaptive'),
      'no-compression': switchOption(options, 'u'),
      'no-netbuf': switchOption(options, 'n'),
      'no-diskbuf': switchOption(options, 'd'),
      unsafe: switchOption(options, 'unsafe'),
      ...intervalOption(options),
    }
    const request = replicateRequest('remus', 'remus', words, given, options, ctx)
    if (given['no-compression'] && request.compression !== undefined) throw usageError('-u and --compress exclude each other', 'give one of them')
    const whole = given['no-compression'] ? { ...request, compression: 'none' as const } : request
    const theirs = textOption(options, 'peer') === 'xl' ? { ...whole, url: withXl(whole.url), peer: 'xl' as const } : whole
    return runReplication(ctx, options, theirs)
  },
}

/** What `xl remus` starts at the other end. */
const withXl = (url: string | undefined): string | undefined => (url !== undefined && /^ssh:\/\/[^/]+\/?$/.test(url) ? `${url.replace(/\/$/, '')}/xl%20migrate-receive%20-r` : url)
