import type { PassName, SaveEvent } from '@xen-replication/libxc-stream'
import type { SaveJob } from '../job.ts'
import type { Report } from './report.ts'

/** Tells libxl how a save gets on, in the words of Xen's own helper. */
export class SaveReport {
  readonly #report: Report
  readonly #manner: SaveJob['manner']
  #percent = 0
  #checkpoint: { readonly sent: number; readonly expected: number } | undefined

  constructor(report: Report, manner: SaveJob['manner']) {
    this.#report = report
    this.#manner = manner
  }

  /** Takes an event of the engine. Of checkpoints it keeps what there is to tell: the guest stands. */
  readonly observe = (event: SaveEvent): void => {
    switch (event.type) {
      case 'pass-begin':
        this.#percent = 0
        if (event.pass !== 'checkpoint') this.#report.progress(this.#doing(event.pass, event.round), 0, event.expected)
        break
      case 'pages':
        this.#pages(event)
        break
      case 'pass-end':
        if (event.deferred > 0) this.#report.log('detail', `${event.deferred} pages are to come later`)
        break
      case 'trouble':
        this.#report.log('warn', `${TROUBLE[event.what]}: ${event.error instanceof Error ? event.error.message : String(event.error)}`)
    }
  }

  /** Tells what was kept of a checkpoint: the guest runs again. */
  resumed(): void {
    const { sent = 0, expected = 0 } = this.#checkpoint ?? {}
    this.#checkpoint = undefined
    this.#report.progress(CHECKPOINTED, sent, expected)
  }

  #pages({ pass, round, sent, expected }: Extract<SaveEvent, { type: 'pages' }>): void {
    if (pass === 'checkpoint') {
      this.#checkpoint = { sent, expected }
      return
    }
    const percent = Math.floor((100 * sent) / Math.max(expected, sent))
    if (percent === this.#percent) return
    this.#percent = percent
    this.#report.progress(this.#doing(pass, round), sent, expected)
  }

  #doing(pass: PassName, round: number): string {
    if (pass === 'verify') return 'Frames verify'
    return pass === 'live' || this.#manner === 'live' ? `Frames iteration ${round}` : 'Frames'
  }
}

const CHECKPOINTED = 'Checkpointed save'
const TROUBLE: Readonly<Record<Extract<SaveEvent, { type: 'trouble' }>['what'], string>> = {
  'log-dirty-off': 'the log of written pages was not switched off',
  'device-model-log-dirty-off': 'the device model goes on logging the pages it writes',
}
