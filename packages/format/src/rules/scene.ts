import type { RecordItem } from '../image/item.ts'
import type { Report } from './findings.ts'
import type { ImageState } from './state.ts'

/** What a check of one record sees. */
export interface RecordScene {
  readonly record: RecordItem
  readonly image: ImageState
  /** vCPUs the domain has, when the configuration tells. */
  readonly vcpus: number | undefined
  /** The records of a checkpoint are being buffered. */
  readonly buffering: boolean
  readonly report: Report
}

/** Version 2 images have no STATIC_DATA_END: this record implies it. */
export function needsStaticEnd({ image, record, report }: RecordScene): void {
  if (image.version === 2) image.staticEnd = 'yes'
  if (image.staticEnd !== 'no') return
  report('XC_STATIC_END_MISSING', record.name)
  image.staticEnd = 'missed'
}
