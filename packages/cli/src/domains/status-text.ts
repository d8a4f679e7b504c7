import type { OperationState } from '@xen-replication/toolstack'
import { bytesText, durationText } from '../output/units.ts'

/** How far an operation is, in a few words. */
export function progressText({ progress }: OperationState): string {
  const { pass, round, sent, expected, bytes, outlook, strategy, epoch } = progress
  if (strategy !== undefined) return epoch === undefined ? `${strategy.role}, ${strategy.state}` : epochText(strategy, epoch)
  const words = [
    pass === undefined ? undefined : pass === 'live' ? `round ${(round ?? 0) + 1}` : pass,
    sent === undefined || expected === undefined || expected === 0 ? undefined : `${Math.min(100, Math.floor((100 * sent) / expected))} %`,
    bytes === undefined ? undefined : bytesText(bytes),
    outlook === undefined ? undefined : `would stand for ${durationText(outlook.pauseMs)}`,
  ]
  return words.filter((word) => word !== undefined).join(', ') || 'waits'
}

type Epochs = NonNullable<OperationState['progress']['epoch']>

function epochText({ role, state }: NonNullable<OperationState['progress']['strategy']>, { acknowledged, pauseMs, latencyMs }: Epochs): string {
  const words = [
    `${role}, ${state}`,
    `${acknowledged} epochs`,
    pauseMs === undefined ? undefined : `stands ${durationText(pauseMs)}`,
    latencyMs === undefined ? undefined : `acknowledged after ${durationText(latencyMs)}`,
  ]
  return words.filter((word) => word !== undefined).join(', ')
}
