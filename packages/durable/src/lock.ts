import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from './files.ts'

/** Who holds a lock: process and when it began, as numbers of processes come again. */
interface Holder {
  readonly pid: number
  readonly began: string
}

/** A lock that this process holds. */
export interface Lock {
  release(): void
}

const FREE = 'free'

/**
 * Takes a lock that is a directory of numbered files, of which the highest counts: it names a process, or says `free`. To take the lock is
 * to make the next number, which the file system lets only one do; the last one never goes away. So the lock of a process that died is
 * passed on without anybody having to remove it, and nobody can remove one that is held.
 *
 * @returns the lock, or the number of the process that has it.
 */
export function tryLock(directory: string): Lock | number {
  if (!existsSync(directory)) mkdirSync(directory, { recursive: true })
  for (;;) {
    const last = highest(directory)
    const holder = last === 0 ? undefined : holderIn(join(directory, String(last)))
    if (holder === 'gone') continue
    if (holder !== undefined && lives(holder)) return holder.pid
    const mine = last + 1
    if (!make(directory, mine)) continue
    if (highest(directory) > mine) {
      rmSync(join(directory, String(mine)), { force: true }) // made from an old look at the directory
      continue
    }
    sweep(directory, mine)
    return { release: () => free(directory, mine) }
  }
}

/** Number of the process that holds a lock; undefined when none does. */
export function lockHolder(directory: string): number | undefined {
  try {
    const holder = holderIn(join(directory, String(highest(directory))))
    return holder !== undefined && holder !== 'gone' && lives(holder) ? holder.pid : undefined
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

const numbers = (directory: string): number[] => readdirSync(directory).filter((name) => /^\d+$/.test(name)).map(Number)
const highest = (directory: string): number => numbers(directory).reduce((a, b) => Math.max(a, b), 0)

function holderIn(path: string): Holder | 'gone' | undefined {
  try {
    const text = readFileSync(path, 'utf8')
    const [pid, began] = text.split(' ')
    return text === FREE || began === undefined ? undefined : { pid: Number(pid), began }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'gone'
    throw error
  }
}

/** Makes the numbered file with its contents in one step. */
function make(directory: string, number: number): boolean {
  const temporary = temporaryIn(directory)
  writeFileSync(temporary, `${process.pid} ${OWN_BEGINNING}`)
  try {
    linkSync(temporary, join(directory, String(number)))
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  } finally {
    rmSync(temporary, { force: true })
  }
}

function free(directory: string, number: number): void {
  try {
    const temporary = temporaryIn(directory)
    writeFileSync(temporary, FREE)
    renameSync(temporary, join(directory, String(number)))
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error // the directory is gone, and the lock with it
  }
}

/** Removes what is below the number that counts, and what dead processes left. */
function sweep(directory: string, number: number): void {
  for (const name of readdirSync(directory)) {
    const pid = /^t-(\d+)-/.exec(name)?.[1]
    const old = pid === undefined ? Number(name) < number : !lives({ pid: Number(pid), began: '' })
    if (old) rmSync(join(directory, name), { force: true })
  }
}

const temporaryIn = (directory: string): string => join(directory, `t-${process.pid}-${process.hrtime.bigint()}`)

/** Whether a process still runs, and is the one that was meant. */
function lives({ pid, began }: Holder): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return false
  }
  const now = beginning(pid)
  return began === '' || now === undefined || now === began
}

/** When a process began, in the kernel's ticks; undefined where that cannot be known. */
function beginning(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

const OWN_BEGINNING = beginning(process.pid) ?? ''
