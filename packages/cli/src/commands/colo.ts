import { intervalOption } from '../domains/interval-option.ts'
import { qemuDisksOption } from '../domains/qemu-disks.ts'
import { quirkOf, quirkOption, replicateRequest, replicationOptions } from '../domains/replicate-options.ts'
import { runReplication } from '../domains/run-replication.ts'
import { switchOption, textOption, type Verb } from './command.ts'

export const verb: Verb = {
  args: [
    { name: 'DOM', what: 'id, name or UUID of a PVH or HVM guest' },
    { name: 'URL', what: 'where `xr receive` waits on the other host; further guests may stand before it, they share their checkpoints then', many: true },
  ],
  options: [
    { flags: '-i, --interval <TIME>', what: 'longest time between checkpoints while both send the same; a bare number is ms', standard: '5s' },
    { flags: '-p, --proxy <URL>', what: 'let the QEMU whose colo-compare listens there compare what the guests send', standard: 'xr compares' },
    { flags: '--no-compare', what: 'compare nothing: network output waits for the next checkpoint' },
    { flags: '-n', what: 'with --no-compare: do not hold back network output; needs -F' },
    { flags: '-d', what: 'do not hold back disk writes; needs -F' },
    { flags: '-F, --unsafe', what: 'allow what can lose or show what no backup has' },
    { flags: '--peer <WHO>', what: 'what runs at the other end: `xr receive`, or `xl migrate-receive --colo`', choices: ['xr', 'xl'], standard: 'xr' },
    quirkOption,
    qemuDisksOption,
    ...replicationOptions,
  ],
  host: true,
  lines: true,
  about: [
    'Runs a guest on two hosts at once. What it sends out leaves as soon as both have sent the same; when they have not, both stand still for a moment, the one here decides, and what either of them has written is copied so that they are the same again. When a host is lost the guest runs on on the other, from where it is.',
    'When the two sides lose each other, the arbiter decides which of them runs the guest; both are given the same. Without an arbiter the guest stays here: the other side takes over only by `xr failover`.',
    '`xr failover DOM` hands the guest over after a last checkpoint, `xr abort DOM` ends the lock-step; both from another terminal, on either host. Exit status: 0 when the guest was handed over, 5 when the other side is lost and the guest runs on here, 6 when it may not run here any more, 8 when called off.',
  ],
  examples: [
    ['xr colo --arbiter file:/shared/xr demo tcp://backup:9000', 'to `xr receive --arbiter file:/shared/xr tcp://0.0.0.0:9000` on backup'],
    ['xr colo --no-compare -i 100ms demo tcp://backup:9000', 'a checkpoint every 100 ms, for a guest whose two sides never agree'],
  ],
  run: (ctx, words, options) => {
    const given = {
      proxy: textOption(options, 'proxy') ?? '',
      'no-compare': options['compare'] === false,
      'no-netbuf': switchOption(options, 'n'),
      'no-diskbuf': switchOption(options, 'd'),
      unsafe: switchOption(options, 'unsafe'),
      ...intervalOption(options),
    }
    const request = replicateRequest('colo', 'colo', words, given, options, ctx)
    return runReplication(ctx, options, textOption(options, 'peer') === 'xl' ? { ...request, peer: 'xl', quirk: quirkOf(options) } : request)
  },
}
