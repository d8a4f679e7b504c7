import type { Arbiter, ArbiterContribution, Claim, Grant, Verdict } from '@xen-replication/plugin-api'
import { ArbiterError } from '../arbiter-error.ts'
import { ask, requireAnswer, unknown } from '../ask.ts'
import { claimOf, claimText, isSame, isSameSession, outdated, requireClaim, requireGuest, verdictOn } from '../claims.ts'
import { etcdAddress } from './address.ts'
import { EtcdGateway } from './gateway.ts'
import { encoded, endOfPrefix, lastResponse, onlyKey, type KeyValue } from './key-value.ts'

/**
 * `etcd://HOST:PORT/KEY`: a session is won by whoever creates `KEY/GUEST/SESSION`, and the revision of that is the token. The key has no lease:
 * one that ran out would let the other side win the same session, too.
 */
export const etcdArbiter: ArbiterContribution = {
  summary: 'keys in an etcd cluster',
  open: async (url, signal) => {
    const address = etcdAddress(url)
    const gateway = new EtcdGateway(address)
    const { key, timeoutMs } = address
    try {
      await requireAnswer({ signal, timeoutMs }, (going) => gateway.call('/v3/kv/range', { key: encoded(`${key}/`), limit: '1' }, going))
      return arbiterOf(new EtcdGrants(gateway, key), gateway, timeoutMs)
    } catch (error) {
      gateway.close()
      throw error
    }
  },
}

function arbiterOf(grants: EtcdGrants, gateway: EtcdGateway, timeoutMs: number): Arbiter {
  let closed = false
  const decide = async (claim: Claim, going: AbortSignal): Promise<Verdict> => {
    if (closed) throw new ArbiterError('ARBITER_CLOSED', 'the arbiter was closed')
    const won = await grants.takeOrRead(claim, going)
    if (won !== undefined) return verdictOn(claim, won)
    const latest = await grants.latest(claim.guest, going)
    return latest === undefined ? unknown('a later grant was there and is no more') : outdated(latest)
  }
  return {
    claim: async (claim, signal) => {
      const answer = await ask({ signal, timeoutMs }, (going) => decide(requireClaim(claim), going))
      return 'said' in answer ? answer.said : unknown(answer.trouble)
    },
    holds: async (grant, signal) => {
      const answer = await ask({ signal, timeoutMs }, async (going) => !closed && isStanding(grant, await grants.latest(requireClaim(grant.claim).guest, going)))
      return 'said' in answer && answer.said
    },
    latest: (guest, signal) =>
      requireAnswer({ signal, timeoutMs }, async (going) => {
        if (closed) throw new ArbiterError('ARBITER_CLOSED', 'the arbiter was closed')
        return (await grants.latest(requireGuest(guest), going))?.token ?? 0n
      }),
    close: () => {
      closed = true
      gateway.close()
      return Promise.resolve()
    },
  }
}

function isStanding({ claim, token }: Grant, latest: Grant | undefined): boolean {
  return latest !== undefined && latest.token === token && isSame(latest.claim, claim)
}

class EtcdGrants {
  readonly #gateway: EtcdGateway
  readonly #key: string

  constructor(gateway: EtcdGateway, key: string) {
    this.#gateway = gateway
    this.#key = key
  }

  /**
   * Creates the key of the session unless it is there or the guest has a later one than the claim knows of, in one transaction.
   *
   * @returns the grant that is there now; undefined when it was not created for a later one.
   */
  async takeOrRead(claim: Claim, going: AbortSignal): Promise<Grant | undefined> {
    const key = encoded(`${this.#below(claim.guest)}${Buffer.from(claim.session, 'utf8').toString('base64url')}`)
    const read = { request_range: { key } }
    const body = await this.#gateway.call('/v3/kv/txn', {
      compare: [{ key, target: 'CREATE', result: 'EQUAL', create_revision: '0' }, ...this.#noneLater(claim)],
      success: [{ request_put: { key, value: encoded(claimText(claim)) } }, read],
      failure: [read],
    }, going)
    const grant = grantOf(onlyKey(lastResponse(body)))
    if (grant === undefined && claim.token !== undefined) return undefined
    if (grant !== undefined && isSameSession(grant.claim, claim)) return grant
    throw new ArbiterError('ARBITER_DAMAGED', 'the key of the session holds something else', { hint: 'use a key that is for xr alone' })
  }

  /** The grant of the guest that was given last. */
  async latest(guest: string, going: AbortSignal): Promise<Grant | undefined> {
    const prefix = this.#below(guest)
    const newest = { sort_order: 'DESCEND', sort_target: 'CREATE', limit: '1' }
    return grantOf(onlyKey(await this.#gateway.call('/v3/kv/range', { key: encoded(prefix), range_end: endOfPrefix(prefix), ...newest }, going)))
  }

  /** All keys of the guest are as old as the claim says: one comparison stands for all of them. @see etcd, Transaction, `range_end` */
  #noneLater({ guest, token }: Claim): readonly object[] {
    if (token === undefined) return []
    const prefix = this.#below(guest)
    return [{ key: encoded(prefix), range_end: endOfPrefix(prefix), target: 'CREATE', result: 'LESS', create_revision: String(token + 1n) }]
  }

  #below(guest: string): string {
    return `${this.#key}/${guest}/`
  }
}

function grantOf(found: KeyValue | undefined): Grant | undefined {
  if (found === undefined) return undefined
  if (found.createRevision !== found.modRevision) throw new ArbiterError('ARBITER_DAMAGED', `${found.key} was changed after it was made`, { hint: 'use a key that is for xr alone' })
  return { claim: claimOf(found.value, found.key), token: found.createRevision }
}
