import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import type { OperationEnd, OperationState } from './operation-state.ts'

/** What others may ask of an operation: a line of JSON with `ask`. */
export interface ControlAnswers {
  status(): OperationState
  abort(): void
  failover(): void
}

/** Longest question, in bytes. */
const QUESTION_MAX = 256

/**
 * Answers other processes of the same user. To `status` the state is the answer; to `abort` and `failover` how the operation ended, when it has.
 *
 * @throws what listening throws
 */
export async function openControl(path: string, answers: ControlAnswers): Promise<ControlServer> {
  const server = createServer()
  const control = new ControlServer(server, path, answers)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  chmodSync(path, 0o600) // the folder is closed to others anyway
  return control
}

export class ControlServer {
  readonly #server: Server
  readonly #path: string
  readonly #answers: ControlAnswers
  readonly #waiting = new Set<Socket>()

  constructor(server: Server, path: string, answers: ControlAnswers) {
    this.#server = server
    this.#path = path
    this.#answers = answers
    server.on('connection', (socket) => this.#meet(socket))
  }

  /** Tells those who called it off how it ended, and goes. */
  async close(end: OperationEnd | undefined): Promise<void> {
    const said = [...this.#waiting].map((socket) => new Promise<void>((resolve) => socket.end(`${JSON.stringify(end ?? {})}\n`, resolve)))
    await Promise.race([Promise.all(said), new Promise((resolve) => setTimeout(resolve, 200))])
    for (const socket of this.#waiting) socket.destroy()
    this.#server.close()
    rmSync(this.#path, { force: true })
  }

  #meet(socket: Socket): void {
    let text = ''
    socket.setEncoding('utf8')
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#waiting.delete(socket))
    socket.on('data', (chunk: string) => {
      text += chunk
      if (text.includes('\n')) this.#answer(socket, text.slice(0, text.indexOf('\n')))
      else if (text.length > QUESTION_MAX) socket.destroy()
    })
  }

  #answer(socket: Socket, line: string): void {
    const ask = questionIn(line)
    if (ask === 'status') socket.end(`${JSON.stringify(this.#answers.status())}\n`)
    else if (ask === 'abort' || ask === 'failover') {
      this.#waiting.add(socket)
      this.#answers[ask]()
    } else socket.destroy()
  }
}

function questionIn(line: string): unknown {
  try {
    const json: unknown = JSON.parse(line)
    return typeof json === 'object' && json !== null && 'ask' in json ? json.ask : undefined
  } catch {
    return undefined
  }
}
