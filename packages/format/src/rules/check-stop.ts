import type { StopItem } from '../image/item.ts'
import type { Report } from './findings.ts'
import type { StreamState } from './state.ts'

/** Judges how the stream ends. */
export function checkStop(stop: StopItem, stream: StreamState, report: Report): void {
  switch (stop.reason) {
    case 'end':
      return checkEnd(stop, stream, report)
    case 'lost':
      if (stop.during === 'header') report('XC_UNRECOGNISED')
      return
    default:
      if (stop.during === 'header') return headerCut(stop, report)
      return stream.type === 'plain' && stream.begun === 0 ? plainCut(stop, report) : checkpointedCut(stop, stream, report)
  }
}

function checkEnd(stop: StopItem, stream: StreamState, report: Report): void {
  if (stop.layer !== 'libxl') return
  if (stream.libxcImages === 0) report('XL2_NO_LIBXC')
  if (stream.configured === 'hvm' && !stream.emulator) report('XL2_EMULATOR_MISSING')
}

function headerCut(stop: StopItem, report: Report): void {
  if (stop.offset === 0) return report('XC_EMPTY')
  if (stop.layer === 'xl') return report('XL_HEADER_CUT')
  report(stop.layer === 'libxl' ? 'XL2_HEADER_CUT' : 'XC_HEADER_CUT')
}

function plainCut(stop: StopItem, report: Report): void {
  if (stop.reason === 'eof') return report(stop.layer === 'libxl' ? 'XL2_NO_END' : 'XC_NO_END', 'no complete checkpoint either')
  report(stop.layer === 'libxl' ? 'XL2_RECORD_CUT' : 'XC_RECORD_CUT', `within its ${whatIs(stop.during)}; no complete checkpoint either`)
}

const whatIs = (during: StopItem['during']): string => (during === 'record-head' ? 'head' : during)

function checkpointedCut(stop: StopItem, stream: StreamState, report: Report): void {
  if (stream.complete === 0) return report('XC_NO_CHECKPOINT')
  if (stop.reason === 'eof' && stream.recordsSince === 0) return report('XC_ENDS_AT_CHECKPOINT', `${stream.complete} complete`)
  report('XC_CHECKPOINT_CUT', `${stream.complete} complete, ${stream.recordsSince} records of the next one`)
}
