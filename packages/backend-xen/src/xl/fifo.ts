import { closeSync, constants, openSync } from 'node:fs'
import { Socket } from 'node:net'

/**
 * A named pipe that is held open at both ends, so that nothing waits for somebody to open it, and nothing is lost before somebody
 * has. Its end comes with `close()` alone.
 */
export class Fifo {
  readonly #socket: Socket
  readonly #chunks: Buffer[] = []
  #wake: () => void = () => undefined
  #open = true

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => this.close())
  }

  /** @param path of a pipe that is there. */
  static open(path: string, way: 'to-read' | 'to-write'): Fifo {
    const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
    try {
      const socket = new Socket({ fd, readable: way === 'to-read', writable: way === 'to-write' })
      const fifo = new Fifo(socket)
      if (way === 'to-read') socket.on('data', (chunk: Buffer) => fifo.#take(chunk))
      return fifo
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }

  /** Done when the pipe has taken it. */
  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.#open) return reject(new Error('the pipe was closed'))
      this.#socket.write(bytes, (error) => (error instanceof Error ? reject(error) : resolve()))
    })
  }

  /** Waits for `enough` bytes to have come. @param enough says where what has come is whole, or undefined. */
  async read(enough: (all: Buffer) => number | undefined): Promise<Buffer> {
    for (;;) {
      const all = Buffer.concat(this.#chunks)
      const end = enough(all)
      if (end !== undefined) {
        this.#chunks.splice(0, this.#chunks.length, all.subarray(end))
        return all.subarray(0, end)
      }
      if (!this.#open) throw new Error('the pipe was closed')
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** May be called twice. */
  close(): void {
    this.#open = false
    this.#socket.destroy()
    this.#wake()
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#wake()
  }
}
