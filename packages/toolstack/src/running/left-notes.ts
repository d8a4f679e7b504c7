import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { pid } from 'node:process'
import type { ProtectionNote } from '../observe/tool-events.ts'
import { SOCKET } from './run-dir.ts'

/** Ending of what is noted of guests that an operation protects: a process that dies cannot say any more that its guest may run elsewhere. */
const NOTE = '.protects'
const FORMAT = 'xr-protects'
const VERSION = 1

/** A note as it was found. */
export interface LeftNote extends ProtectionNote {
  /** Of the operation that made it, and its process. */
  readonly id: string
  readonly pid: number
  /** `gone`: nobody sees to the guests. */
  readonly process: 'lives' | 'gone'
}

/** Notes of guests that are protected, or were when their process died. */
export interface LeftNotes {
  all(): Promise<readonly LeftNote[]>
  /** The note is another operation's from now on. @returns whether nobody else took it. */
  take(note: LeftNote, id: string): boolean
  drop(note: LeftNote): void
}

/** For those who leave nothing. */
export const noNotes: LeftNotes = { all: () => Promise.resolve([]), take: () => true, drop: () => undefined }

export const notesIn = (runDir: string): LeftNotes => ({
  all: () => allNotes(runDir),
  take: ({ id }, by) => takeNote(runDir, id, by),
  drop: ({ id }) => removeNote(runDir, id),
})

/** @throws what writing throws */
export function writeNote(runDir: string, id: string, note: ProtectionNote): void {
  const path = join(runDir, `${id}${NOTE}`)
  writeFileSync(`${path}.new`, `${JSON.stringify({ format: FORMAT, version: VERSION, pid, ...note })}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

export function removeNote(runDir: string, id: string): void {
  rmSync(join(runDir, `${id}${NOTE}`), { force: true })
}

function takeNote(runDir: string, from: string, to: string): boolean {
  try {
    renameSync(join(runDir, `${from}${NOTE}`), join(runDir, `${to}${NOTE}`))
    return true
  } catch {
    return false
  }
}

async function allNotes(runDir: string): Promise<readonly LeftNote[]> {
  const ids = namesIn(runDir).filter((name) => name.endsWith(NOTE)).map((name) => name.slice(0, -NOTE.length))
  const found = await Promise.all(ids.map(async (id) => noteOf(runDir, id, (await answers(join(runDir, `${id}${SOCKET}`))) ? 'lives' : 'gone')))
  return found.filter((note) => note !== undefined)
}

function namesIn(runDir: string): readonly string[] {
  try {
    return readdirSync(runDir)
  } catch {
    return [] // nobody has begun anything yet
  }
}

/** Whether the process of an operation is there; one that is stopped is. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path)
    const end = (there: boolean): void => {
      socket.destroy()
      resolve(there)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}

function noteOf(runDir: string, id: string, process: LeftNote['process']): LeftNote | undefined {
  try {
    const json: unknown = JSON.parse(readFileSync(join(runDir, `${id}${NOTE}`), 'utf8'))
    return isNote(json) ? { ...json, id, process } : undefined
  } catch {
    return undefined // taken over, or of no use to anybody
  }
}

function isNote(json: unknown): json is Omit<LeftNote, 'id' | 'process'> {
  if (typeof json !== 'object' || json === null) return false
  const { format, version, guests, session, pid: made } = json as Readonly<Record<string, unknown>>
  return format === FORMAT && version === VERSION && Array.isArray(guests) && guests.length > 0 && typeof session === 'string' && typeof made === 'number'
}
