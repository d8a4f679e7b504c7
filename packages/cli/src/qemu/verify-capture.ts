import type { VerbContext } from '../commands/command.ts'
import type { OpenImage } from '../input/open-image.ts'
import type { FileVerdict, FindingDocument } from '../verify/document.ts'
import { readCapture, type CaptureReading } from './show-capture.ts'

const NOT_XEN: FindingDocument = {
  code: 'QEMU_NOT_XEN',
  severity: 'note',
  offset: 0,
  record: null,
  layer: 'qemu',
  message: 'a migration stream of QEMU, which QEMU restores and Xen does not',
  hint: 'start a QEMU with the same machine and -incoming',
  xen: 'reject',
  verifier: 'reject',
  strict: 'accept',
}

/** `xr verify` of a migration stream of QEMU: strict is what QEMU 7.2 takes. */
export async function verifyCapture(ctx: VerbContext, image: OpenImage): Promise<FileVerdict> {
  const reading = await readCapture(ctx, image)
  const findings = [...faultOf(reading), NOT_XEN]
  const strict = findings.some((finding) => finding.strict === 'reject') ? 'reject' : 'accept'
  const { checkpoints, colo } = reading.summary
  return {
    file: image.path,
    format: 'qemu',
    guest: 'unknown',
    streamType: colo ? 'colo' : 'plain',
    verdict: { strict, xen: 'reject', verifier: 'reject' },
    findings,
    suppressed: 0,
    bytes: reading.bytes,
    checkpoints: checkpoints.complete,
    pages: undefined,
    seconds: reading.seconds,
  }
}

/** A primary that was killed leaves a partial checkpoint behind complete ones: that is noted, and nothing is lost. */
function faultOf({ fault, summary, bytes }: CaptureReading): readonly FindingDocument[] {
  if (fault === undefined) return []
  const between = fault.code === 'FMT_TRUNCATED' && summary.complete
  return [
    {
      code: fault.code,
      severity: between ? 'warning' : 'error',
      offset: fault.offset ?? bytes,
      record: null,
      layer: 'qemu',
      message: fault.message.replace(/ \(at byte .*\)$/, ''),
      hint: between ? `checkpoint ${summary.checkpoints.complete} is complete` : (fault.hint ?? ''),
      xen: 'reject',
      verifier: 'reject',
      strict: between ? 'accept' : 'reject',
    },
  ]
}
