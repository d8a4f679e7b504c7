/** A QEMU that takes commands; a client for QMP fits. */
export interface QmpCommands {
  /** @returns what the command gives back. @throws XrError when it is refused, or nobody answers in time */
  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>
}

export interface Command {
  readonly command: string
  readonly args?: Readonly<Record<string, unknown>>
}

/** A command, and what takes it back. */
export interface Step extends Command {
  readonly undo?: Command
  /** Fails while the other side is not ready yet. */
  readonly early?: boolean
}
