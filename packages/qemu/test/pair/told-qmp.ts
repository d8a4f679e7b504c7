import { QmpError, type Qmp, type QmpEvent } from '@xen-replication/qmp'

/** A QEMU of which a test knows what it was told; its COLO mode and run state are what the test makes them. */
export class ToldQmp implements Qmp {
  readonly gone: Promise<QmpError>
  readonly told: { readonly command: string; readonly args: Readonly<Record<string, unknown>> | undefined }[] = []
  mode = 'none'
  status = 'running'
  migration: Readonly<Record<string, unknown>> = { status: 'none' }
  /** How it takes commands. */
  mood: 'answers' | 'is stuck' = 'answers'
  /** Commands that it refuses. */
  refuses: (command: string, args: Readonly<Record<string, unknown>> | undefined) => boolean = () => false
  /** Done when a command is taken, before it is answered. */
  react: (command: string) => void = () => undefined
  #watchers: ((event: QmpEvent) => void)[] = []
  #tellGone: (error: QmpError) => void = () => undefined
  #lost: QmpError | undefined

  constructor() {
    this.gone = new Promise((resolve) => (this.#tellGone = resolve))
  }

  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost)
    this.told.push({ command, args })
    if (this.mood === 'is stuck') return new Promise(() => undefined)
    if (this.refuses(command, args)) return Promise.reject(new QmpError('QMP_REFUSED', `${command}: no`))
    this.react(command)
    if (command === 'query-colo-status') return Promise.resolve({ mode: this.mode })
    if (command === 'query-status') return Promise.resolve({ status: this.status })
    return Promise.resolve(command === 'query-migrate' ? this.migration : {})
  }

  onEvent(see: (event: QmpEvent) => void): () => void {
    this.#watchers.push(see)
    return () => (this.#watchers = this.#watchers.filter((one) => one !== see))
  }

  emit(name: string): void {
    for (const see of this.#watchers) see({ name, data: {} })
  }

  /** How many listen to its events. */
  get watchers(): number {
    return this.#watchers.length
  }

  die(): void {
    this.#lost = new QmpError('QMP_LOST', 'QEMU closed the link')
    this.#tellGone(this.#lost)
  }

  close(): void {
    this.die()
  }

  /** What it was told, questions left out. */
  get commands(): readonly string[] {
    return this.told.map(({ command }) => command).filter((command) => !command.startsWith('query-'))
  }
}
