import type { VerifyOptions } from '@xen-replication/format'
import { isOutputClosed, usageError } from '../cli-error.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { restorerOptions, formatOption, told } from '../input/image-options.ts'
import { openImage } from '../input/open-image.ts'
import { readImage } from '../input/read-image.ts'
import { lookForQemu } from '../qemu/qemu-image.ts'
import { verifyCapture } from '../qemu/verify-capture.ts'
import { writeDocument, writeJsonLine } from '../output/json.ts'
import { errorDocument, renderError } from '../render-error.ts'
import { fileDocument, judges, type Judge, type VerifiedFile } from '../verify/document.ts'
import { verifiedText } from '../verify/text.ts'
import { switchOption, textOption, type OptionValues, type Verb, type VerbContext } from './command.ts'

export const verb: Verb = {
  args: [{ name: 'FILE', what: 'an image; `-` is standard input', many: true }],
  options: [
    { flags: '--quick', what: 'look at record heads and their order only' },
    { flags: '--data', what: 'read page contents too and compute their checksum' },
    { flags: '--by <JUDGE>', what: 'whose verdict sets the exit status', choices: judges, standard: 'strict' },
    formatOption,
    ...restorerOptions,
  ],
  about: [
    'Reads images to their end and lists every fault, with its place and what can be done. Three judges are asked: strict is the written specification, xen what the restorer of Xen does, verifier what verify-stream-v2 of Xen says, quirks included.',
    'Exit status: 0 when the judge chosen with --by accepts all images, 3 when it rejects one, 1 when one cannot be read.',
  ],
  examples: [
    ['xr verify guest.save', 'every fault of a saved guest'],
    ['xr verify --by xen *.save', 'which of these would restore'],
    ['ssh host cat guest.save | xr verify --data -', 'an image from elsewhere, page contents included'],
  ],
  lines: true,
  run: async (ctx, files, options) => {
    const by = judges.find((judge) => judge === textOption(options, 'by')) ?? 'strict'
    const how = { depth: depthOf(options), oneOfMany: files.length > 1 }
    const verified: VerifiedFile[] = []
    try {
      for (const file of files) {
        const one = await verifyFile(ctx, file, options, how)
        verified.push(one)
        if (!ctx.json) await writeOne(ctx, one, by)
      }
      if (ctx.json) await writeDocument(ctx.stdout, 'xr.verify/1', { by, files: verified })
    } catch (error) {
      if (!isOutputClosed(error)) throw error // a verdict stands, read or not
    }
    return exitOf(verified, by)
  },
}

function writeOne({ stdout, jsonl }: VerbContext, one: VerifiedFile, by: Judge): Promise<void> {
  return jsonl ? writeJsonLine(stdout, one) : stdout.write(verifiedText(one, by))
}

function depthOf(options: OptionValues): NonNullable<VerifyOptions['depth']> {
  const quick = switchOption(options, 'quick')
  const data = switchOption(options, 'data')
  if (quick && data) throw usageError('--quick and --data exclude each other', 'give one of them')
  if (quick) return 'headers'
  return data ? 'data' : 'rules'
}

interface How {
  readonly depth: NonNullable<VerifyOptions['depth']>
  readonly oneOfMany: boolean
}

/** @param how.oneOfMany a file that cannot be read is then told and does not keep the others from being looked at. */
async function verifyFile(ctx: VerbContext, file: string, given: OptionValues, { depth, oneOfMany }: How): Promise<VerifiedFile> {
  try {
    const opened = await openImage(file, ctx)
    try {
      const { image, isQemu } = await lookForQemu(opened, given)
      if (isQemu) return await verifyCapture(ctx, image)
      const { verification, seconds } = await readImage(ctx, image, { ...told(given), depth })
      return fileDocument(file, verification, seconds)
    } finally {
      opened.close()
    }
  } catch (error) {
    if (!oneOfMany || ctx.signal.aborted) throw error
    ctx.stderr.writeNow(renderError(error))
    return { file, error: errorDocument(error) }
  }
}

function exitOf(files: readonly VerifiedFile[], by: Judge): ExitCode {
  if (files.some((one) => 'error' in one)) return exitCodes.failed
  return files.some((one) => 'verdict' in one && one.verdict[by] === 'reject') ? exitCodes.imageInvalid : exitCodes.done
}
