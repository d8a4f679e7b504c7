import { LinkError, type AbortSignalLike, type Channel, type Transport } from '@xen-replication/plugin-api'
import { spawn, type ChildProcess } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { abortable } from './channel/abortable.ts'
import { refusal } from './channel/link-failure.ts'
import { singleListener } from './channel/single-listener.ts'
import { StreamChannel } from './channel/stream-channel.ts'

/** How long a command may take to go once its input has ended or it was told to, in milliseconds. Source: `xl migrate` waits as long. */
const GRACE_MS = 2000

/** What is run. */
export interface Command {
  readonly program: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
}

/** `exec:COMMAND`: a line for the shell, as `xl migrate -s ''` takes it. Its input and output are the channel, its messages go where ours go. */
export function execTransport({ env }: { readonly env: NodeJS.ProcessEnv }): Transport {
  const run = (url: string, signal: AbortSignalLike): Promise<Channel> => {
    const line = url.slice(url.indexOf(':') + 1)
    if (line.trim() === '' || line.includes('\0')) throw new LinkError('LINK_ADDRESS', `'${url}' names no command`, { hint: 'write it after the colon' })
    return commandChannel(url, { program: '/bin/sh', args: ['-c', direct(line)], env }, signal)
  }
  return {
    duplex: true,
    dial: async (url, signal) => run(url, signal),
    listen: async (url, signal) => singleListener(url, await run(url, signal)),
  }
}

/** Words that only the shell itself understands at the start of a command. */
const SHELL_WORDS = new Set(
  '. : alias break case cd command continue eval exec exit export for getopts hash if local read readonly return set shift times trap type ulimit umask unset until wait while'.split(' '),
)

/** A simple command takes the place of the shell, so that it gets our signals; lists, pipes and assignments need the shell to stay. */
function direct(line: string): string {
  const first = /^\s*([\w./:+-]+)(?:\s[^;&|<>(){}`$\n]*)?$/.exec(line)?.[1]
  return first === undefined || SHELL_WORDS.has(first) ? line : `exec ${line}`
}

/**
 * Runs a command and makes a channel of it.
 *
 * @throws LinkError LINK_REFUSED when it cannot be started; the reason of `signal`
 */
export function commandChannel(where: string, { program, args, env }: Command, signal: AbortSignalLike): Promise<Channel> {
  return abortable(signal, ({ resolve, reject }) => {
    const child = spawn(program, [...args], { env, stdio: ['pipe', 'pipe', 'inherit'] })
    child.on('error', (error) => reject(refusal(error, `${where}: ${program} cannot be run`)))
    child.once('spawn', () => resolve(channelOf(child, where)))
    return () => child.kill('SIGKILL')
  })
}

function channelOf(child: ChildProcess & { readonly stdin: Writable | null; readonly stdout: Readable | null }, where: string): Channel {
  const { stdin, stdout } = child as { stdin: Writable; stdout: Readable }
  let heard = false
  stdout.once('data', () => (heard = true))
  const release = async ({ ended }: { readonly ended: boolean }): Promise<void> => {
    if (!ended) child.kill('SIGTERM')
    stdout.resume()
    stdin.destroy()
    if (!(await gone(child)) && !ended) child.kill('SIGKILL') // one that was ended properly is left to finish what it does
    stdout.destroy()
    child.unref()
  }
  const verdict = async (broken: Error | undefined): Promise<Error | undefined> => ((await gone(child)) ? verdictOf(child, { where, heard }) : broken)
  return new StreamChannel({ where, input: stdout, output: stdin, release, verdict })
}

/** Waits for the end of a command. @returns whether it came within the grace. */
function gone(child: ChildProcess): Promise<boolean> {
  const over = (): boolean => child.exitCode !== null || child.signalCode !== null
  return new Promise((resolve) => {
    if (over()) return resolve(true)
    const timer = setTimeout(() => resolve(false), GRACE_MS)
    child.once('exit', () => {
      clearTimeout(timer)
      resolve(true)
    })
    return undefined
  })
}

/** What a command's exit says of the link. */
function verdictOf({ exitCode, signalCode }: ChildProcess, { where, heard }: { readonly where: string; readonly heard: boolean }): Error | undefined {
  if (exitCode === 0) return undefined
  if (signalCode !== null) return new LinkError('LINK_LOST', `${where}: the command was ended by ${signalCode}`, { hint: 'somebody stopped it, or it crashed' })
  const silent = !heard && (exitCode === 255 || exitCode === 127 || exitCode === 126)
  return new LinkError(silent ? 'LINK_REFUSED' : 'LINK_LOST', `${where}: the command ended with status ${exitCode}`, {
    hint: exitCode === 127 ? 'there is no such command' : 'its own messages tell why',
  })
}
