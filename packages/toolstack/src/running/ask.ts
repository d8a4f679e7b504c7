import { readdirSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { ToolstackError } from '../toolstack-error.ts'
import type { OperationEnd, OperationState } from './operation-state.ts'
import { SOCKET } from './run-dir.ts'

/** How long an operation may take to say how far it is, in milliseconds: one that is stopped does not answer. */
const ANSWER_MS = 2000

/** Operations of this user under way on this host. Sockets that dead processes left are removed. */
export async function operationsIn(runDir: string): Promise<readonly OperationState[]> {
  const states = await Promise.all(socketsIn(runDir).map((path) => stateAt(path)))
  return states.filter((state) => state !== undefined).sort((a, b) => b.seconds - a.seconds)
}

/**
 * Calls off the operation on a guest and waits until it has ended.
 *
 * @param which name, id or UUID of the guest, or id of the operation.
 * @returns the operation and how it ended: one that had come too far is done.
 * @throws ToolstackError TOOL_NO_OPERATION
 */
export async function abortOperation(runDir: string, which: string, signal: AbortSignal): Promise<OperationState & OperationEnd> {
  return order(runDir, which, 'abort', (fitting) => fitting.find(({ domId }) => domId !== undefined) ?? fitting[0], signal) // of both sides of a migration the one that has the guest
}

/**
 * Has the backup of a guest take over and waits until that is done.
 *
 * @param which as for `abortOperation`; only replications count.
 * @throws ToolstackError TOOL_NO_OPERATION
 */
export async function failoverOperation(runDir: string, which: string, signal: AbortSignal): Promise<OperationState & OperationEnd> {
  return order(runDir, which, 'failover', (fitting) => fitting.filter(({ progress }) => progress.strategy !== undefined).sort((a, b) => firstToAsk(b) - firstToAsk(a))[0], signal)
}

/** Of a pair the primary, which has the guest; but whoever stands in for a process that died, and has no peer, after all others. */
const firstToAsk = ({ url, domId }: OperationState): number => 2 * Number(url !== undefined) + Number(domId !== undefined)

async function order(runDir: string, which: string, question: 'abort' | 'failover', choose: (fitting: readonly OperationState[]) => OperationState | undefined, signal: AbortSignal): Promise<OperationState & OperationEnd> {
  const states = await operationsIn(runDir)
  const found = choose(states.filter((state) => [state.guest, ...(state.guest?.split(' ') ?? []), state.id, String(state.domId), state.uuid].includes(which)))
  if (found === undefined) {
    const there = states.map(({ verb, guest }) => `${verb} ${guest ?? ''}`.trim()).join(', ')
    throw new ToolstackError('TOOL_NO_OPERATION', `nothing is under way with '${which}'`, { hint: there === '' ? 'this user has nothing under way on this host; `xr list` tells how its guests stand' : `under way: ${there}` })
  }
  const answer = await ask(join(runDir, `${found.id}${SOCKET}`), question, signal)
  const end = answer as Partial<OperationEnd> | undefined
  return { ...found, outcome: end?.outcome ?? 'interrupted', code: end?.code }
}

function socketsIn(runDir: string): readonly string[] {
  try {
    return readdirSync(runDir).filter((name) => name.endsWith(SOCKET)).map((name) => join(runDir, name))
  } catch {
    return [] // nobody has begun anything yet
  }
}

async function stateAt(path: string): Promise<OperationState | undefined> {
  try {
    const answer = await ask(path, 'status', AbortSignal.timeout(ANSWER_MS))
    return isState(answer) ? answer : undefined
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED') rmSync(path, { force: true })
    return undefined
  }
}

/** @returns what was answered; undefined when the other process ended without an answer */
function ask(path: string, question: 'status' | 'abort' | 'failover', signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path)
    let text = ''
    const stop = (): void => void socket.destroy(signal.reason instanceof Error ? signal.reason : new Error('called off'))
    signal.addEventListener('abort', stop, { once: true })
    socket.setEncoding('utf8')
    socket.on('connect', () => socket.write(`${JSON.stringify({ ask: question })}\n`))
    socket.on('data', (chunk: string) => (text += chunk))
    socket.on('error', reject)
    socket.on('close', () => {
      signal.removeEventListener('abort', stop)
      resolve(answerIn(text))
    })
  })
}

function answerIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isState = (answer: unknown): answer is OperationState => typeof answer === 'object' && answer !== null && 'id' in answer && 'verb' in answer && 'progress' in answer
