import type { LinkOptions, ReceiveRequest, Released } from '@xen-replication/toolstack'
import { resolve } from 'node:path'
import { usageError } from '../cli-error.ts'
import { fateText } from '../domains/fate-text.ts'
import { linkOptions, linkOptionsOf } from '../domains/link-options.ts'
import { observerOptions } from '../domains/observer-options.ts'
import { openQemuDisks, qemuDisksOption } from '../domains/qemu-disks.ts'
import { arbiterChoice, arbiterOptions, quirkOf, quirkOption } from '../domains/replicate-options.ts'
import { withToolstack } from '../domains/with-toolstack.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { writeDocument } from '../output/json.ts'
import { bytesText } from '../output/units.ts'
import { switchOption, textOption, type OptionValues, type Verb, type VerbContext } from './command.ts'

/** Standard input and output. */
const STDIO = 'fd:0,1'

export const verb: Verb = {
  args: [{ name: 'URL', what: 'where to wait for the other host; `-`, or nothing, is standard input and output', optional: true }],
  options: [
    { flags: '--xl', what: 'the other side is `xl migrate`, or `xr migrate --peer xl`' },
    { flags: '-r', what: 'with --xl: the other side is `xl remus`, or `xr remus --peer xl`' },
    { flags: '--colo', what: 'with --xl: the other side is `xl remus -c`, or `xr colo --peer xl`' },
    quirkOption,
    { flags: '-p', what: 'leave the guest paused' },
    { flags: '--name <NAME>', what: 'call the guest this here', standard: 'its name there' },
    { flags: '--to <FILE>', what: 'take an image and put it here, from `xr send` or `xr save --peer xr`' },
    ...linkOptions.filter(({ flags }) => flags.startsWith('--wait')),
    qemuDisksOption,
    ...arbiterOptions,
    ...observerOptions,
  ],
  host: true,
  lines: true,
  about: [
    'Takes one guest from another host and ends. When anything fails, nothing of the guest is left here, and it runs on there; both sides say why.',
    'Guests of this host are never touched. Where one has the name of the guest that comes, the guest stays where it was; but where that one is an older copy of the very same guest (name and UUID are the same), it comes in beside it as NAME--2, and a warning says so.',
    'What the other host has in mind it says itself: `xr migrate` moves a guest here; `xr remus` keeps a backup here, and `xr colo` runs the guest here too, which takes over when the arbiter says so, or at `xr failover`.',
    'With --xl it takes the place of `xl migrate-receive`: the same messages in the same order.',
    'With --to it takes an image instead. It is collected as FILE.part and has its name when it is whole; what an interrupted transfer left is gone on with when the same sender comes back.',
  ],
  examples: [
    ['xr receive tcp://0.0.0.0:9000', 'waits for `xr migrate demo tcp://…`'],
    ['xl migrate -s "" demo "xr receive --xl"', 'xl as the sender, on the same host'],
    ['xr receive --to demo.xl tcp://0.0.0.0:9000', 'waits for `xr send demo.xl tcp://…`'],
  ],
  run: async (ctx, [where = '-'], options) => {
    const url = where === '-' ? STDIO : where
    const stdio = /^fd:(?:\d+,)?1$/.test(url)
    if (stdio && (ctx.json || ctx.jsonl)) throw usageError('standard output is the link to the other host', 'leave out --json and --jsonl, or wait at another URL')
    const ofXl = [['r', '-r'], ['colo', '--colo'], ['quirk', '--quirk']].find(([name]) => options[name as string] !== undefined)?.[1]
    if (ofXl !== undefined && !switchOption(options, 'xl')) throw usageError(`${ofXl} has a meaning with --xl only`, 'between two xr the sender says what it wants')
    if (switchOption(options, 'r') && switchOption(options, 'colo')) throw usageError('-r and --colo exclude each other', 'the sender does one of them')
    const [to, wrong] = [textOption(options, 'to'), ['xl', 'p', 'name', 'qemuDisks'].find((name) => options[name] !== undefined)]
    if (to !== undefined && wrong !== undefined) throw usageError(`--to and ${wrong === 'p' ? '-p' : wrong === 'qemuDisks' ? '--qemu-disks' : `--${wrong}`} exclude each other`, 'with --to it is an image that comes, and no guest is made of it')
    const wanted: Wanted = { url, stdio, link: linkOptionsOf(options) }
    return to === undefined ? receiveGuest(ctx, options, wanted) : receiveImage(ctx, options, wanted, to)
  },
}

interface Wanted {
  readonly url: string
  /** Standard output is the link: words for people go elsewhere. */
  readonly stdio: boolean
  readonly link: LinkOptions
}

const streamOf = (options: OptionValues): Pick<ReceiveRequest, 'stream' | 'quirk'> => ({
  stream: switchOption(options, 'colo') ? 'colo' : switchOption(options, 'r') ? 'remus' : 'plain',
  quirk: quirkOf(options),
})

async function receiveGuest(ctx: VerbContext, options: OptionValues, { url, stdio, link }: Wanted): Promise<ExitCode> {
  const paused = switchOption(options, 'p')
  const disks = await openQemuDisks(textOption(options, 'qemuDisks'))
  const request: ReceiveRequest = { ...(disks === undefined ? {} : { replicas: () => [disks.replica] }), url, peer: switchOption(options, 'xl') ? 'xl' : 'xr', ...streamOf(options), then: paused ? 'stay-paused' : 'run', name: textOption(options, 'name'), waitMs: link.waitMs, ...arbiterChoice(options, ctx) }
  return withToolstack(ctx, options, async ({ stack, T }) => {
    const began = ctx.now()
    const received = await (await stack.get(T.receive))(request, ctx.signal)
    if (received.released === true) return tellReleased(ctx, stdio, url, received)
    const { guest, domId, kind, bytes, doubt, replica } = received
    if (doubt !== undefined) ctx.stderr.writeNow(`xr: warning: the other side may not know that ${guest} is here: ${doubt.message}\n`)
    const whole = replica === undefined ? '' : ` and ${replica.epochs} epochs`
    const text = `${fateText(guest, 'target', paused ? 'paused' : 'runs')}, domain ${domId}, from ${bytesText(bytes)}${whole}\n`
    if (ctx.json) await writeDocument(ctx.stdout, 'xr.receive/1', { guest, id: domId, type: kind, url, bytes, state: paused ? 'paused' : 'running', ...replica, seconds: (ctx.now() - began) / 1000 })
    else if (stdio) ctx.stderr.writeNow(text)
    else if (!ctx.jsonl) await ctx.stdout.write(text)
    return exitCodes.done
  }).finally(() => disks?.close())
}

async function receiveImage(ctx: VerbContext, options: OptionValues, { url, stdio, link }: Wanted, file: string): Promise<ExitCode> {
  return withToolstack(ctx, options, async ({ stack, T }) => {
    const began = ctx.now()
    const { bytes } = await (await stack.get(T.receiveImage))({ url, file: resolve(ctx.cwd, file), link }, ctx.signal)
    const text = `${file}: ${bytesText(bytes)}\n`
    if (ctx.json) await writeDocument(ctx.stdout, 'xr.receive/1', { file, url, bytes, seconds: (ctx.now() - began) / 1000 })
    else if (stdio) ctx.stderr.writeNow(text)
    else if (!ctx.jsonl) await ctx.stdout.write(text)
    return exitCodes.done
  })
}

/** A primary that ended its replication has its guest on the other host. */
async function tellReleased(ctx: VerbContext, stdio: boolean, url: string, { guests, epochs }: Released): Promise<ExitCode> {
  const text = `the primary has ended it after ${epochs} epochs; nothing of ${guests.join(', ') || 'the guest'} is left here\n`
  if (ctx.json) await writeDocument(ctx.stdout, 'xr.receive/1', { guest: guests[0], guests, url, epochs, state: 'released' })
  else if (stdio) ctx.stderr.writeNow(text)
  else if (!ctx.jsonl) await ctx.stdout.write(text)
  return exitCodes.done
}
