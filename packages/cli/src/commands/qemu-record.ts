import { resolve } from 'node:path'
import { usageError } from '../cli-error.ts'
import { withToolstack } from '../domains/with-toolstack.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { writeDocument } from '../output/json.ts'
import { bytesText } from '../output/units.ts'
import { textOption, type Verb } from './command.ts'

export const verb: Verb = {
  args: [],
  options: [
    { flags: '--listen <URL>', what: 'where the primary connects to: unix:PATH or tcp://HOST:PORT' },
    { flags: '--to <URL>', what: 'where the secondary listens' },
    { flags: '--capture <PATH>', what: 'beginning of the names of the files that are written: PATH.p2s, PATH.s2p and PATH.times.jsonl' },
  ],
  host: true,
  about: [
    'Stands between two QEMUs and keeps what they say, every byte as it was, with times, until one of them is gone. Memory does not grow with the length of the recording.',
    'PATH.p2s is what the primary said, PATH.s2p what the secondary answered; `xr show` and `xr records` read both, and `xr qemu-replay` plays the first. PATH.times.jsonl has a line for each piece: milliseconds, direction, place and length.',
  ],
  examples: [['xr qemu-record --listen unix:/run/a.sock --to unix:/run/b.sock --capture guest', 'records a pair; migrate to unix:/run/a.sock']],
  run: async (ctx, _args, options): Promise<ExitCode> => {
    const [url, to, path] = [textOption(options, 'listen'), textOption(options, 'to'), textOption(options, 'capture')]
    if (url === undefined || to === undefined || path === undefined) throw usageError('--listen, --to and --capture are needed', 'for example --listen unix:/run/a.sock --to unix:/run/b.sock --capture guest')
    const { createCaptureFiles, recordLink } = await import('@xen-replication/qemu')
    return withToolstack(ctx, options, async ({ stack, T }) => {
      const [links, operations, clock] = [await stack.get(T.links), await stack.get(T.operations), await stack.get(T.clock)]
      return operations.run({ verb: 'qemu-record', guest: undefined, url }, ctx.signal, async ({ signal }) => {
        const listener = await links.listen(url, signal)
        try {
          const files = await createCaptureFiles(resolve(ctx.cwd, path))
          try {
            const primary = await listener.accept(signal)
            const secondary = await links.dial(to, signal).catch((error: unknown) => primary.close().then(() => Promise.reject(error as Error)))
            const { bytes, why } = await recordLink({ primary, secondary, clock, signal, keep: files.keep })
            await files.close()
            if (ctx.json) await writeDocument(ctx.stdout, 'xr.qemu-record/1', { url, to, files: files.paths, bytes, why: why?.message })
            else await ctx.stdout.write(`${files.paths.p2s}: ${bytesText(bytes.p2s)}\n${files.paths.s2p}: ${bytesText(bytes.s2p)}\nended${why === undefined ? '' : `: ${why.message}`}\n`)
            return exitCodes.done
          } finally {
            await files.close()
          }
        } finally {
          await listener.close()
        }
      })
    })
  },
}
