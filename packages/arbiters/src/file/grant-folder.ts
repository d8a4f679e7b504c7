import type { Claim, Grant } from '@xen-replication/plugin-api'
import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { link, open, readdir, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { ArbiterError } from '../arbiter-error.ts'
import { claimOf, claimText } from '../claims.ts'

/** More than any grant takes, in bytes. */
const LONGEST = 4096
/** Both hosts read it, whoever wrote it; there is no secret in it. */
const MODE = 0o644

/**
 * Grants as files `GUEST.TOKEN.grant` in a folder that several hosts see. A grant is written beside its name, brought to the disk and then
 * linked to its name: whoever links first has won, and nobody sees half a grant. A crash leaves at most a file beside it that nobody reads.
 *
 * @see link(2), and open(2) "O_EXCL" on why link is the way to do this on NFS
 */
export class GrantFolder {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  /** @returns undefined when there is none. @throws ArbiterError ARBITER_DAMAGED; errors of the system */
  async read(guest: string, token: bigint): Promise<Grant | undefined> {
    const path = this.#fileOf(guest, token)
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(orNothing('ENOENT'))
    if (handle === undefined) return undefined
    return { token, claim: requireGuest(claimOf(await textOf(handle), path), guest, path) }
  }

  /** Writes a grant unless there is one with its token. @returns the one that is there now. */
  async put({ claim, token }: Grant): Promise<Grant> {
    const beside = join(this.#path, `.${randomUUID()}.claim`)
    try {
      await write(beside, `${claimText(claim)}\n`)
      await link(beside, this.#fileOf(claim.guest, token)).catch(orNothing('EEXIST'))
    } finally {
      await rm(beside, { force: true })
    }
    const there = await this.read(claim.guest, token)
    if (there === undefined) throw new ArbiterError('ARBITER_DAMAGED', `${this.#fileOf(claim.guest, token)} is there and cannot be found`, { hint: 'on NFS mount with lookupcache=positive' })
    return there
  }

  /** Has the name of a grant outlive a loss of power; what is in it was brought to the disk before it had the name. */
  async secure(): Promise<void> {
    await synced(this.#path, constants.O_RDONLY | constants.O_DIRECTORY)
  }

  /** Whether there is a grant for the guest with a greater token. Opening the folder makes NFS ask its server. */
  async hasLater(guest: string, token: bigint): Promise<boolean> {
    return (await this.#tokens(guest)).some((one) => one > token) || (await this.read(guest, token + 1n)) !== undefined
  }

  /** The greatest token of a grant for the guest, 0 when there is none; a listing that is a little old is gone on from. */
  async latest(guest: string): Promise<bigint> {
    let token = (await this.#tokens(guest)).reduce((most, one) => (one > most ? one : most), 0n)
    while ((await this.read(guest, token + 1n)) !== undefined) token += 1n
    return token
  }

  async #tokens(guest: string): Promise<readonly bigint[]> {
    return (await readdir(this.#path)).flatMap((name) => {
      const [, of, number] = /^([A-Za-z0-9-]+)\.(\d{1,20})\.grant$/.exec(name) ?? []
      return of === guest && number !== undefined ? [BigInt(number)] : []
    })
  }

  /**
   * Proves that the folder is there and can do what is needed.
   *
   * @throws ArbiterError ARBITER_STORAGE
   */
  async check(): Promise<void> {
    const [beside, linked] = [join(this.#path, `.${randomUUID()}.probe`), join(this.#path, `.${randomUUID()}.probe`)]
    try {
      await write(beside, 'xr\n')
      await link(beside, linked)
      await synced(this.#path, constants.O_RDONLY | constants.O_DIRECTORY)
      await readdir(this.#path)
    } catch (cause) {
      throw unusable(this.#path, cause as NodeJS.ErrnoException)
    } finally {
      await Promise.all([beside, linked].map((path) => rm(path, { force: true }).catch(() => undefined)))
    }
  }

  #fileOf(guest: string, token: bigint): string {
    return join(this.#path, `${guest}.${token}.grant`)
  }
}

async function write(path: string, text: string): Promise<void> {
  const handle = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, MODE)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** At most so much of a file as a grant can take. */
async function textOf(handle: FileHandle): Promise<string> {
  try {
    const buffer = Buffer.alloc(LONGEST + 1)
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0)
    return buffer.subarray(0, bytesRead).toString('utf8')
  } finally {
    await handle.close()
  }
}

async function synced(path: string, flags: number): Promise<void> {
  const handle = await open(path, flags)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function requireGuest(claim: Claim, guest: string, where: string): Claim {
  if (claim.guest === guest) return claim
  throw new ArbiterError('ARBITER_DAMAGED', `${where} is about another guest`, { hint: 'somebody renamed or copied it' })
}

const orNothing = (code: string) => (error: unknown): undefined => {
  if ((error as NodeJS.ErrnoException).code !== code) throw error
}

/** What to do about a folder that cannot be used. */
const hints: Readonly<Record<string, string>> = {
  ENOENT: 'make the folder on the shared storage, below where it is mounted, so that it is missing whenever the storage is',
  ENOTDIR: 'give the path of a folder',
  EACCES: 'let the user of xr write there, on both hosts',
  EROFS: 'mount it writable',
  EPERM: 'it must be able to make hard links: NFS, GFS2, OCFS2, CephFS or a local file system',
  ENOTSUP: 'it must be able to make hard links: NFS, GFS2, OCFS2, CephFS or a local file system',
}

function unusable(path: string, cause: NodeJS.ErrnoException): ArbiterError {
  return new ArbiterError('ARBITER_STORAGE', `grants cannot be kept in ${path}: ${cause.message}`, { cause, hint: hints[cause.code ?? ''] ?? 'look at the storage' })
}
