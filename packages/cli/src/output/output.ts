import { CliError } from '../cli-error.ts'

/** A stream that text and bytes are written to. */
export interface Output {
  /**
   * @returns when the stream has taken the bytes, so a slow reader slows the writer.
   * @throws CliError CLI_OUTPUT_CLOSED when the reader has gone; the command then ends quietly.
   */
  write(chunk: string | Uint8Array): Promise<void>
  /** Writes without waiting and without failing: for progress and last words. */
  writeNow(text: string): void
  /** It is a terminal. */
  readonly isTTY: boolean
  /** Width of the terminal, 80 when there is none. */
  readonly columns: number
}

/** What an Output needs of a Node stream. */
export interface OutputStream {
  write(chunk: string | Uint8Array, done: (error?: Error | null) => void): boolean
  on(event: 'error', listener: (error: Error) => void): unknown
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

/** Makes an Output of a Node stream. */
export function outputTo(stream: OutputStream): Output {
  stream.on('error', () => undefined) // each write hears of its error itself
  return {
    write: (chunk) =>
      new Promise((resolve, reject) => {
        stream.write(chunk, (error) => (error ? reject(writeError(error)) : resolve()))
      }),
    writeNow: (text) => {
      stream.write(text, () => undefined)
    },
    isTTY: stream.isTTY === true,
    get columns() {
      return stream.columns ?? 80
    },
  }
}

const GONE: readonly unknown[] = ['EPIPE', 'ERR_STREAM_DESTROYED', 'ECONNRESET']

function writeError(error: Error): CliError {
  const code: unknown = 'code' in error ? error.code : undefined
  return GONE.includes(code)
    ? new CliError('CLI_OUTPUT_CLOSED', 'nobody reads the output', { cause: error })
    : new CliError('CLI_IO', `the output cannot be written: ${error.message}`, { cause: error })
}
