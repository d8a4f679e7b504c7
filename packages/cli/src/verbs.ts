import type { VerbEntry } from './commands/command.ts'

const entry = (name: string, summary: string, load: VerbEntry['load']): VerbEntry => ({ name, summary, load })

/** What `xr remus` starts beside itself. */
export const guard: VerbEntry = { ...entry('guard', 'stand in for an xr that dies', () => import('./commands/guard.ts')), hidden: true }

/** Every verb, in the order of the help. A new verb is a line here and a file in `commands/`. */
export const verbs: readonly VerbEntry[] = [
  entry('show', 'tell what an image is and what it holds', () => import('./commands/show.ts')),
  entry('records', 'list the records of an image', () => import('./commands/records.ts')),
  entry('verify', 'find all faults of images, and who would refuse them', () => import('./commands/verify.ts')),
  entry('diff', 'tell how two images and the guests in them differ', () => import('./commands/diff.ts')),
  entry('convert', 'put an image into another container or version', () => import('./commands/convert.ts')),
  entry('extract', 'take memory, configuration or device model state out of an image', () => import('./commands/extract.ts')),
  entry('repair', 'salvage the last complete state in a cut or damaged image', () => import('./commands/repair.ts')),
  entry('decode', 'write an image as JSON', () => import('./commands/decode.ts')),
  entry('encode', 'make an image of the JSON that decode wrote', () => import('./commands/encode.ts')),
  entry('list', 'list the guests of this host', () => import('./commands/list.ts')),
  entry('create', 'make a guest, on hosts that can', () => import('./commands/create.ts')),
  entry('destroy', 'end a guest at once', () => import('./commands/destroy.ts')),
  entry('save', 'put a guest into an image', () => import('./commands/save.ts')),
  entry('restore', 'make a guest of an image', () => import('./commands/restore.ts')),
  entry('migrate', 'move a running guest to another host', () => import('./commands/migrate.ts')),
  entry('send', 'send an image to another host', () => import('./commands/send.ts')),
  entry('receive', 'take a guest or an image from another host', () => import('./commands/receive.ts')),
  entry('remus', 'keep a backup of a running guest by checkpoints', () => import('./commands/remus.ts')),
  entry('colo', 'run a guest on two hosts in lock-step', () => import('./commands/colo.ts')),
  entry('replicate', 'keep two hosts able to run a guest, by any strategy', () => import('./commands/replicate.ts')),
  entry('failover', 'have the backup of a guest take over', () => import('./commands/failover.ts')),
  entry('status', 'tell what is under way on this host', () => import('./commands/status.ts')),
  entry('abort', 'call off what is under way with a guest', () => import('./commands/abort.ts')),
  entry('doctor', 'look at what this host needs to work with Xen guests', () => import('./commands/doctor.ts')),
  entry('plugins', 'list what each plugin brings', () => import('./commands/plugins.ts')),
  entry('config', 'show the settings, and where each comes from', () => import('./commands/config.ts')),
  entry('qemu-backup', 'keep the last checkpoint of a QEMU guest on another host', () => import('./commands/qemu-backup.ts')),
  entry('qemu-restore', 'start a QEMU where a backup ends', () => import('./commands/qemu-restore.ts')),
  entry('qemu-colo', 'have two QEMUs replicate a guest, watch them, and fail over', () => import('./commands/qemu-colo.ts')),
  entry('qemu-replay', 'be the primary of a QEMU, with a recorded guest', () => import('./commands/qemu-replay.ts')),
  entry('qemu-record', 'keep what two QEMUs of a COLO pair say', () => import('./commands/qemu-record.ts')),
  entry('demo', 'show all of it on two simulated hosts', () => import('./commands/demo.ts')),
  entry('simulate', 'play replication under faults, in virtual time', () => import('./commands/simulate.ts')),
  entry('completion', 'print the script that lets a shell complete xr', () => import('./commands/completion.ts')),
  entry('help', 'tell how a verb is used', async () => ({ verb: (await import('./commands/help.ts')).helpOn(verbs) })),
]
