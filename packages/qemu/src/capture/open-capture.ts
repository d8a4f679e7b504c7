import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { ByteReader, walkCapture, type ByteSink, type CaptureItem } from '@xen-replication/format'
import { QemuError } from '../qemu-error.ts'
import type { ReplaySource } from '../primary/replay-source.ts'

/** Bytes of a file, from one place up to another. */
interface Range {
  readonly from: number
  readonly to: number
}

interface Checkpoint {
  readonly memory: Range
  readonly devices: Range
}

/** What a COLO primary said, as a file. */
export interface Capture extends ReplaySource {
  close(): void
}

/** Read and handed on at once, in bytes. */
const PIECE_BYTES = 256 * 1024

/**
 * Opens what was recorded of a COLO primary, and looks where its checkpoints are. One that was not recorded to its end is left out.
 *
 * @throws QemuError QEMU_CAPTURE; FormatError for a file that is damaged before its first checkpoint begins
 */
export async function openCapture(path: string): Promise<Capture> {
  const fd = opened(path)
  try {
    const found = await placesIn(fd, path)
    const copy = (range: Range, to: ByteSink): Promise<void> => copyRange(fd, path, range, to)
    const of = (checkpoint: number): Checkpoint => {
      const one = found.checkpoints[checkpoint]
      if (one === undefined) throw new RangeError(`there is no checkpoint ${checkpoint}`)
      return one
    }
    return {
      machine: found.machine,
      checkpoints: found.checkpoints.length,
      writeStream: (to) => copy({ from: 0, to: found.streamEnd }, to),
      writeMemory: (checkpoint, to) => copy(of(checkpoint).memory, to),
      devicesBytes: (checkpoint) => of(checkpoint).devices.to - of(checkpoint).devices.from,
      writeDevices: (checkpoint, to) => copy(of(checkpoint).devices, to),
      close: () => closeSync(fd),
    }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function opened(path: string): number {
  try {
    const fd = openSync(path, 'r')
    if (fstatSync(fd).isFile()) return fd
    closeSync(fd)
  } catch (cause) {
    throw new QemuError('QEMU_CAPTURE', `${path} cannot be read: ${String(cause)}`, { cause })
  }
  throw new QemuError('QEMU_CAPTURE', `${path} is no file`)
}

interface Places {
  readonly machine: string
  readonly streamEnd: number
  readonly checkpoints: readonly Checkpoint[]
}

async function placesIn(fd: number, path: string): Promise<Places> {
  const checkpoints: Checkpoint[] = []
  let [machine, colo, whole, streamEnd, memoryFrom] = ['', false, false, 0, 0]
  let memory: Range | undefined
  const see = (item: CaptureItem): void => {
    if (item.checkpoint === 0 && item.kind !== 'message') streamEnd = item.kind === 'description' ? item.offset + item.length : item.offset + 1
    if (item.checkpoint === 0 && item.kind === 'end') whole = true
    if (item.kind === 'configuration') ({ machine } = item)
    if (item.kind === 'command' && item.name === 'enable-colo') colo = true
    if (item.kind === 'message' && item.name === 'vmstate-send') memoryFrom = item.offset + 4
    if (item.kind === 'message' && item.name === 'vmstate-size') memory = { from: memoryFrom, to: item.offset }
    if (item.kind === 'devices' && memory !== undefined) checkpoints.push({ memory, devices: { from: item.offset, to: item.offset + item.length } })
  }
  try {
    for await (const item of walkCapture(new ByteReader(fileSource(fd)))) see(item)
  } catch (error) {
    if (!whole) throw error // what is behind the last complete checkpoint is left out
  }
  if (!colo) throw new QemuError('QEMU_CAPTURE', `${path} is not what a COLO primary said`, { hint: 'it may be the other direction, or a plain migration: look with `xr show`' })
  return { machine, streamEnd, checkpoints }
}

function fileSource(fd: number): ConstructorParameters<typeof ByteReader>[0] {
  let at = 0
  return {
    read: (max) => {
      const bytes = new Uint8Array(Math.min(max, PIECE_BYTES))
      const count = readSync(fd, bytes, 0, bytes.length, at)
      at += count
      return count === 0 ? undefined : bytes.subarray(0, count)
    },
  }
}

async function copyRange(fd: number, path: string, { from, to }: Range, sink: ByteSink): Promise<void> {
  const buffer = new Uint8Array(Math.min(PIECE_BYTES, to - from))
  for (let at = from; at < to; ) {
    const count = readSync(fd, buffer, 0, Math.min(buffer.length, to - at), at)
    if (count === 0) throw new QemuError('QEMU_CAPTURE', `${path} became shorter while it was read`, { offset: at })
    await sink.write([buffer.subarray(0, count)])
    at += count
  }
}
