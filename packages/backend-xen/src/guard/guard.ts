/** What outlives a process that reads a guest, unless somebody undoes it. */
export const DUTIES = { 'log-dirty': 1, 'device-model-log-dirty': 2, /** A copy that runs along must not without whoever follows the primary. */ 'runs-along': 4 } as const
export type Duty = keyof typeof DUTIES

/** A process that waits for the end of this one. */
export interface GuardProcess {
  /** What it would have to undo now, as a sum of DUTIES. */
  tell(duties: number): void
  /** Lets it go; what it was told last it then undoes. */
  end(): void
}

export type StartGuard = (domId: number) => Promise<GuardProcess>

/** Has undone what this process changed about a guest, should it be killed. Another process is started for it when the first thing is changed. */
export class Guard {
  readonly #domId: number
  readonly #start: StartGuard
  #process: GuardProcess | undefined
  #duties = 0

  constructor(domId: number, start: StartGuard) {
    this.#domId = domId
    this.#start = start
  }

  /** To be called before something is changed. A guard that cannot be started keeps nobody from working. */
  async hold(duty: Duty): Promise<void> {
    this.#duties |= DUTIES[duty]
    this.#process ??= await this.#start(this.#domId)
    this.#process.tell(this.#duties)
  }

  /** To be called once it is undone. */
  drop(duty: Duty): void {
    this.#duties &= ~DUTIES[duty]
    this.#process?.tell(this.#duties)
  }

  /** What was not undone, the guard tries. */
  close(): void {
    this.#process?.end()
    this.#process = undefined
  }
}
