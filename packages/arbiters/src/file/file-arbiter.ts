import type { Arbiter, ArbiterContribution, Claim, Grant, Verdict } from '@xen-replication/plugin-api'
import { resolve } from 'node:path'
import { ArbiterError } from '../arbiter-error.ts'
import { ask, requireAnswer, unknown } from '../ask.ts'
import { isLater, isSame, isSameSession, outdated, requireClaim, requireGuest, verdictOn } from '../claims.ts'
import { GrantFolder } from './grant-folder.ts'

/** More sessions of one guest than anybody has lost links. */
const MOST_GRANTS = 10_000n

/** `file:PATH`: a folder on storage that both hosts see. */
export function fileArbiter({ timeoutMs }: { readonly timeoutMs: number }): ArbiterContribution {
  return {
    summary: 'a folder on storage that both hosts see',
    open: async (url, signal) => {
      const folder = new GrantFolder(pathOf(url))
      await requireAnswer({ signal, timeoutMs }, () => folder.check())
      return arbiterOn(folder, timeoutMs)
    },
  }
}

function arbiterOn(folder: GrantFolder, timeoutMs: number): Arbiter {
  let closed = false
  return {
    claim: async (claim, signal) => {
      const answer = await ask({ signal, timeoutMs }, async (going) => {
        if (closed) throw new ArbiterError('ARBITER_CLOSED', 'the arbiter was closed')
        return decide(folder, requireClaim(claim), going)
      })
      return 'said' in answer ? answer.said : unknown(answer.trouble)
    },
    holds: async (grant, signal) => {
      const answer = await ask({ signal, timeoutMs }, async () => !closed && stands(folder, grant))
      return 'said' in answer && answer.said
    },
    latest: (guest, signal) =>
      requireAnswer({ signal, timeoutMs }, () => {
        if (closed) throw new ArbiterError('ARBITER_CLOSED', 'the arbiter was closed')
        return folder.latest(requireGuest(guest))
      }),
    close: () => {
      closed = true
      return Promise.resolve()
    },
  }
}

/**
 * Walks the grants of the guest from the first to the first free token, and takes that. No token is passed over, so a session that was won is
 * always found, however stale a listing of the folder may be.
 */
async function decide(folder: GrantFolder, claim: Claim, going: AbortSignal): Promise<Verdict> {
  for (let token = 1n; token <= MOST_GRANTS; token++) {
    going.throwIfAborted()
    const there = (await folder.read(claim.guest, token)) ?? (await folder.put({ claim, token }))
    if (isLater(there, claim)) return outdated(there)
    if (!isSameSession(there.claim, claim)) continue
    const verdict = verdictOn(claim, there)
    if (verdict.answer === 'granted') await folder.secure()
    return verdict
  }
  throw new ArbiterError('ARBITER_STORAGE', `there are more than ${MOST_GRANTS} grants for the guest`, { hint: 'use a new folder' })
}

async function stands(folder: GrantFolder, { claim, token }: Grant): Promise<boolean> {
  const { guest } = requireClaim(claim)
  if (await folder.hasLater(guest, token)) return false
  const there = await folder.read(guest, token)
  return there !== undefined && isSame(there.claim, claim)
}

/** What follows the scheme: `file:/shared/xr`, and `file:///shared/xr` as well. */
function pathOf(url: string): string {
  const path = url.slice(url.indexOf(':') + 1).replace(/^\/\/(?=\/)/, '')
  if (path === '' || path.startsWith('//') || path.includes('\0')) throw new ArbiterError('ARBITER_ADDRESS', `'${url}' names no folder`, { hint: 'write file:PATH' })
  return resolve(path)
}
