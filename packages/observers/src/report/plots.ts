import type { Unit } from './measure.ts'

/** A line of a plot, by the name under which its values come in. */
interface LineSpec {
  readonly measure: string
  readonly label: string
}

/** A plot of the page. */
export interface PlotSpec {
  readonly title: string
  /** One sentence on what it shows. */
  readonly what: string
  readonly unit: Unit
  readonly lines: readonly LineSpec[]
}

const one = (title: string, unit: Unit, measure: string, what: string): PlotSpec => ({ title, what, unit, lines: [{ measure, label: title }] })

/** Every plot, in the order of the page; those without values are left out. */
export const plotSpecs: readonly PlotSpec[] = [
  one('Pause', 'ms', 'pause', 'How long the guest stood for a checkpoint.'),
  one('Dirty pages', 'pages', 'pages', 'Pages that an epoch changed, and that its checkpoint carried.'),
  one('Bytes', 'bytes', 'bytes', 'Size of a checkpoint, with the state of vCPUs and devices, before any compression.'),
  {
    title: 'Output latency',
    what: 'How long what the guest sends out is held back, and how much of that the backup needs to answer.',
    unit: 'ms',
    lines: [{ measure: 'held', label: 'held, the oldest of an epoch' }, { measure: 'latency', label: 'checkpoint until acknowledged' }],
  },
  one('Time between checkpoints', 'ms', 'interval', 'From the beginning of one checkpoint to that of the next.'),
  one('Epochs missed', 'count', 'missed', 'Checkpoints that were due and did not begin within half an interval, all of them so far.'),
  one('Requests answered', 'count', 'answered', 'What a client outside has seen: the number of answers so far.'),
  one('Answer time', 'ms', 'answer', 'From the moment the guest answered until the client had it: the price of never showing what could be undone.'),
]
