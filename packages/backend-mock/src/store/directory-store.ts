import { codeOf, lockHolder, tryLock, writeWhole, type Lock } from '@xen-replication/durable'
import { isXrError } from '@xen-replication/errors'
import { BackendError } from '@xen-replication/hypervisor'
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { GuestRecord } from '../guest/record.ts'
import { hostError, readText } from './files.ts'
import { GuestDirectory } from './guest-directory.ts'
import type { Change, HostStore, Lease, MemoryToStore, StoredGuest, StoredMemory } from './host-store.ts'
import { jsonIn } from './record-text.ts'

/** Longest wait for another process to let go of the host, in milliseconds. It only ever holds it for a moment. */
const LOCK_TIMEOUT_MS = 10_000
const LOCK_POLL_MS = 3

interface HostFile {
  readonly format: 'xr-mock-host'
  readonly version: 1
  readonly seed: number
  readonly memoryBytes: number
  readonly nextDomId: number
}

/** Opens a directory as a host, making it when it is not there. @throws BackendError BACKEND_HOST */
export async function openDirectory(path: string, first: { readonly seed: number; readonly memoryBytes: number }): Promise<HostStore> {
  try {
    mkdirSync(join(path, 'guests'), { recursive: true })
    const lock = await lockHost(path)
    try {
      const file = readHost(path) ?? { format: 'xr-mock-host', version: 1, seed: first.seed, memoryBytes: first.memoryBytes, nextDomId: 1 }
      if (readHost(path) === undefined) writeHost(path, file)
      for (const name of readdirSync(path)) if (name.startsWith('gone-')) rmSync(join(path, name), { recursive: true, force: true })
      return new DirectoryStore(path, file)
    } finally {
      lock.release()
    }
  } catch (cause) {
    throw isXrError(cause) ? cause : hostError(`${path} cannot be used as a simulated host`, cause)
  }
}

async function lockHost(path: string): Promise<Lock> {
  for (let waited = 0; ; waited += LOCK_POLL_MS) {
    const lock = tryLock(join(path, 'lock'))
    if (typeof lock !== 'number') return lock
    if (waited > LOCK_TIMEOUT_MS) throw new BackendError('BACKEND_HOST', `process ${lock} holds the simulated host in ${path}`, { hint: 'see what that process does, or end it' })
    await sleep(LOCK_POLL_MS)
  }
}

function readHost(path: string): HostFile | undefined {
  const name = join(path, 'host.json')
  const text = readText(name)
  return text === undefined ? undefined : (jsonIn(text, name, 'xr-mock-host', 1) as unknown as HostFile)
}

const writeHost = (path: string, file: HostFile): void => writeWhole(join(path, 'host.json'), `${JSON.stringify(file)}\n`)

/** A host in a directory that several processes use. */
class DirectoryStore implements HostStore {
  readonly seed: number
  readonly memoryBytes: number
  readonly lasting = true
  readonly #path: string
  readonly #guests = new Map<number, GuestDirectory>()
  /** Guests of which this process has the lease. */
  readonly #leases = new Set<number>()

  constructor(path: string, { seed, memoryBytes }: HostFile) {
    this.#path = path
    this.seed = seed
    this.memoryBytes = memoryBytes
  }

  guests(): readonly StoredGuest[] {
    return this.#all().filter(({ record }) => !this.#abandoned(record))
  }

  guest(domId: number): StoredGuest | undefined {
    const stored = this.#directory(domId).read()
    return stored === undefined || this.#abandoned(stored.record) ? undefined : stored
  }

  async change<T>(work: (change: Change) => T): Promise<T> {
    const lock = await this.#lock()
    try {
      return work({
        guests: () => {
          this.#clear()
          return this.#all().map(({ record }) => record)
        },
        nextDomId: () => this.#nextDomId(),
        put: (record) => this.#directory(record.domId).put(record),
        remove: (domId) => this.#remove(domId),
        append: (domId, event) => this.#directory(domId).append(event),
      })
    } catch (cause) {
      throw isSystem(cause) ? hostError(`the simulated host in ${this.#path} cannot be changed`, cause) : cause
    } finally {
      lock.release()
    }
  }

  lease(domId: number): Lease {
    const lock = tryLock(this.#leasePath(domId))
    if (typeof lock === 'number') throw new BackendError('BACKEND_STATE', `process ${lock} works on domain ${domId}`, { hint: 'wait until it is done, or end it' })
    this.#leases.add(domId)
    return {
      release: () => {
        this.#leases.delete(domId)
        lock.release()
      },
    }
  }

  memory(record: GuestRecord): StoredMemory {
    return this.#directory(record.domId).memory(record)
  }

  async save(record: GuestRecord, memory: MemoryToStore, taken: number): Promise<void> {
    const directory = this.#directory(record.domId)
    try {
      const first = record.generation === 1
      const written = first ? directory.writeFirst(memory) : directory.writeNext(record.generation, memory)
      const lock = await this.#lock()
      try {
        if (directory.exists) directory.commit(record, written, taken)
      } finally {
        lock.release()
      }
    } catch (cause) {
      if (!directory.exists) throw new BackendError('BACKEND_NO_SUCH_DOMAIN', `domain ${record.domId} was destroyed meanwhile`, { cause })
      throw isSystem(cause) ? hostError(`domain ${record.domId} cannot be stored`, cause) : cause
    }
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  /** Removes guests whose builders are no more, and what was left of a guest when somebody looked at it while it went. */
  #clear(): void {
    for (const domId of this.#domIds()) {
      const stored = this.#directory(domId).read()
      if (stored === undefined ? lockHolder(this.#leasePath(domId)) === undefined : this.#abandoned(stored.record)) this.#remove(domId)
    }
  }

  #lock(): Promise<Lock> {
    return lockHost(this.#path)
  }

  #all(): StoredGuest[] {
    return this.#domIds().flatMap((domId) => this.#directory(domId).read() ?? [])
  }

  #domIds(): number[] {
    return readdirSync(join(this.#path, 'guests')).map(Number).sort((a, b) => a - b)
  }

  /** Whether a guest was being built by a process that is no more. */
  #abandoned({ phase, domId }: GuestRecord): boolean {
    if (phase === 'built' || this.#leases.has(domId)) return false
    return lockHolder(this.#leasePath(domId)) === undefined
  }

  #directory(domId: number): GuestDirectory {
    let known = this.#guests.get(domId)
    if (known === undefined) this.#guests.set(domId, (known = new GuestDirectory(join(this.#path, 'guests', String(domId)))))
    return known
  }

  #leasePath(domId: number): string {
    return join(this.#path, 'guests', String(domId), 'lease')
  }

  #nextDomId(): number {
    const file = readHost(this.#path)
    if (file === undefined) throw new BackendError('BACKEND_HOST', `${join(this.#path, 'host.json')} is gone`)
    writeHost(this.#path, { ...file, nextDomId: file.nextDomId + 1 })
    return file.nextDomId
  }

  /** In one step, so that nobody sees half a guest; what is left of it is cleared away after. */
  #remove(domId: number): void {
    const gone = join(this.#path, `gone-${domId}-${process.pid}`)
    this.#guests.get(domId)?.giveUp()
    this.#guests.delete(domId)
    try {
      renameSync(join(this.#path, 'guests', String(domId)), gone)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return
      throw error
    }
    rmSync(gone, { recursive: true, force: true })
  }
}

const isSystem = (cause: unknown): boolean => cause instanceof Error && codeOf(cause) !== undefined && !isXrError(cause)
