import type { LegacyStep } from '@xen-replication/format'
import { hexText } from '../output/units.ts'
import type { Row } from './row.ts'

/** A step of a legacy stream as a line; it has no records and no lengths in front of them. */
export function legacyRow(step: LegacyStep): Row {
  return { kind: 'legacy', layer: 'legacy', offset: step.offset, name: step.kind, length: lengthOf(step), detail: detailOf(step) }
}

function lengthOf(step: LegacyStep): number {
  if ('data' in step) return step.data.length
  return step.kind === 'extended-info' ? step.length : 0
}

function detailOf(step: LegacyStep): string {
  switch (step.kind) {
    case 'start':
      return `${step.width}-bit ${step.guest} stream of ${step.p2mSize} pages`
    case 'extended-block':
      return step.id
    case 'p2m-frames':
      return `${step.count} frames`
    case 'batch':
      return `${step.entries.count} pages${step.contents === 'compressed' ? ', compressed' : ''}`
    case 'vcpu-info':
      return `vCPUs up to ${step.maxId}`
    case 'hvm-param':
      return `${step.name} ${hexText(step.value)}`
    case 'tsc-info':
      return `mode ${step.mode}, ${step.khz} kHz`
    case 'unmapped-pfns':
      return `${step.count} pfns`
    case 'vcpu':
      return `vCPU ${step.id}`
    case 'qemu':
      return step.signature
    default:
      return ''
  }
}
