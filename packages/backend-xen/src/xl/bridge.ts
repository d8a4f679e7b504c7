import { BackendError } from '@xen-replication/hypervisor'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parseBridgeArgs, type BridgeArgs } from './bridge-messages.ts'
import { Fifo } from './fifo.ts'

/**
 * What libxl runs as its restorer. It passes on what is said, and ends when its pipe does: at once, with nothing said, should this
 * process die; libxl ends the domain then. A pipe is opened both ways first, for to open one end waits for somebody at the other,
 * who may be gone.
 */
const SCRIPT = `#!/bin/sh
exec 3<&0 4<>"$0.up" 5<"$0.up" 6<>"$0.down" 7>"$0.down" 4>&- 6>&-
cat <&3 >&7 3<&- 5<&- 7>&- &
exec 3<&- 7>&-
echo "$*" 1<>"$0.args"
exec cat <&5 5<&-
`

const REPLY_BYTES = 4

/** The line between libxl, which makes a domain, and this process, which fills it. */
export class Bridge {
  /** What libxl is to run. */
  readonly program: string
  /** What libxl reads as the image. */
  readonly streamPath: string
  readonly stream: Fifo
  readonly #dir: string
  readonly #args: Fifo
  readonly #up: Fifo
  readonly #down: Fifo

  private constructor(dir: string) {
    this.#dir = dir
    this.program = join(dir, 'restorer')
    this.streamPath = join(dir, 'stream')
    this.stream = Fifo.open(this.streamPath, 'to-write')
    this.#args = Fifo.open(`${this.program}.args`, 'to-read')
    this.#up = Fifo.open(`${this.program}.up`, 'to-write')
    this.#down = Fifo.open(`${this.program}.down`, 'to-read')
  }

  /** @param runDir folder that only root may enter. @throws BackendError BACKEND_HOST */
  static async open(runDir: string): Promise<Bridge> {
    const dir = await mkdtemp(join(runDir, 'xr-restore-')).catch((cause: unknown) => Promise.reject(failed(runDir, cause)))
    try {
      const program = join(dir, 'restorer')
      await writeFile(program, SCRIPT, { mode: 0o700 })
      await promisify(execFile)('mkfifo', ['-m', '600', join(dir, 'stream'), ...['args', 'up', 'down'].map((end) => `${program}.${end}`)])
      return new Bridge(dir)
    } catch (cause) {
      await rm(dir, { recursive: true, force: true })
      throw failed(runDir, cause)
    }
  }

  /** Waits for libxl to have made the domain. @throws BackendError BACKEND_HOST */
  async args(): Promise<BridgeArgs> {
    const line = await this.#args.read((all) => (all.includes(10) ? all.indexOf(10) + 1 : undefined))
    return parseBridgeArgs(line.toString('latin1'))
  }

  /** Says something that has no answer. */
  tell(message: Uint8Array): Promise<void> {
    return this.#up.write(message)
  }

  /** Says something and waits for the answer, a number. */
  async ask(message: Uint8Array): Promise<number> {
    await this.#up.write(message)
    return (await this.#down.read((all) => (all.length >= REPLY_BYTES ? REPLY_BYTES : undefined))).readInt32LE(0)
  }

  /** The restorer ends, well if it has said that it is complete. */
  hangUp(): void {
    this.#up.close()
  }

  async close(): Promise<void> {
    for (const fifo of [this.stream, this.#args, this.#up, this.#down]) fifo.close()
    await rm(this.#dir, { recursive: true, force: true })
  }
}

const failed = (runDir: string, cause: unknown): BackendError => new BackendError('BACKEND_HOST', `pipes to libxl cannot be made in ${runDir}`, { cause, hint: 'Xen’s folder for running things has to be there and writable' })
