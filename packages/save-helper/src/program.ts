import process from 'node:process'
import { HelperError } from './helper-error.ts'
import type { HelperHost } from './helper-host.ts'
import { openStreamSink } from './io/stream-sink.ts'
import { streamSource } from './io/stream-source.ts'
import type { HelperJob } from './job.ts'
import { parseArguments, type Command } from './parse-arguments.ts'
import { standardPipes } from './protocol/descriptor-pipes.ts'
import { runHelper } from './run-helper.ts'
import { helpText } from './help-text.ts'

/** Exit status of a command line that cannot be understood. */
const USAGE = 2
/** Signals that call a save off; the guest's memory is no longer watched then. A restore changes nothing that outlives its domain: they end it. */
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

/**
 * The whole program: reads the command line, does the job for the libxl at the other end of standard input and output.
 *
 * @param openHost the host to work on; called once the command line is understood.
 * @returns exit status
 */
export async function runProgram(openHost: () => Promise<HelperHost>, version: () => string): Promise<number> {
  const command = understand()
  if (command === undefined) return USAGE
  if (command.ask === 'help') return print(helpText)
  if (command.ask === 'version') return print(`xr-save-helper ${version()}\n`)
  return runHelper({ pipes: standardPipes(), openHost, openSink: openStreamSink, openSource: streamSource, signal: stopSignal(command.job) }, command.job)
}

function understand(): Command | undefined {
  try {
    return parseArguments(process.argv.slice(2), process.env['XR_SAVE_HELPER_OPTIONS'])
  } catch (error) {
    if (!(error instanceof HelperError)) throw error
    process.stderr.write(`xr-save-helper: ${error.code}: ${error.message}\n${error.hint === undefined ? '' : `hint: ${error.hint}\n`}`)
    return undefined
  }
}

function stopSignal({ verb }: HelperJob): AbortSignal {
  const stop = new AbortController()
  if (verb === 'save') for (const name of SIGNALS) process.on(name, () => stop.abort(new Error(`${name} came`)))
  return stop.signal
}

function print(text: string): number {
  process.stdout.write(text)
  return 0
}
