import type { Arbiter, ArbiterContribution, Claim, Grant, Verdict } from '@xen-replication/plugin-api'
import { ArbiterError } from '../arbiter-error.ts'
import { ask, unknown } from '../ask.ts'
import { claimText, requireClaim } from '../claims.ts'
import { runCommand, type Ended } from './run-command.ts'

export interface ExecOptions {
  readonly timeoutMs: number
  readonly env: NodeJS.ProcessEnv
  /** Milliseconds since 1970: the token when a command prints none. */
  readonly now: () => number
}

/** What a command is asked, with what it is told. */
interface Question {
  readonly asks: 'claim' | 'holds'
  readonly claim: Claim
  readonly token: bigint | undefined
}

type Run = (question: Question, going: AbortSignal) => Promise<Ended>

/** `exec:COMMAND`: a line for the shell, from the user and from nobody else. */
export function execArbiter({ timeoutMs, env, now }: ExecOptions): ArbiterContribution {
  return {
    summary: 'a command that decides: status 0 grants, 1 denies, any other is no answer',
    open: (url) => {
      const line = url.slice(url.indexOf(':') + 1)
      if (line.trim() === '' || line.includes('\0')) {
        return Promise.reject(new ArbiterError('ARBITER_ADDRESS', `'${url}' names no command`, { hint: 'write it after the colon' }))
      }
      const run: Run = ({ asks, claim, token }, going) => {
        const told = { XR_ASKS: asks, XR_GUEST: claim.guest, XR_SESSION: claim.session, XR_SIDE: claim.side, XR_TOKEN: token === undefined ? '' : String(token) }
        return runCommand({ line, args: [asks, claim.guest, claim.session, claim.side, told.XR_TOKEN], env: { ...env, ...told } }, going)
      }
      return Promise.resolve(arbiterBy(run, { timeoutMs, now }))
    },
  }
}

function arbiterBy(run: Run, { timeoutMs, now }: { readonly timeoutMs: number; readonly now: () => number }): Arbiter {
  let closed = false
  const own = new Map<string, bigint>()
  /** The token that the command printed, or one of this process that stays the same for the claim. */
  const tokenFor = (claim: Claim, printed: bigint | undefined): bigint => {
    const token = printed ?? own.get(claimText(claim)) ?? BigInt(Math.floor(now()))
    own.set(claimText(claim), token)
    return token
  }
  const decide = async (claim: Claim, going: AbortSignal): Promise<Verdict> => {
    if (closed) throw new ArbiterError('ARBITER_CLOSED', 'the arbiter was closed')
    const ended = await run({ asks: 'claim', claim, token: undefined }, going)
    if (ended.status === 0) return { answer: 'granted', grant: { claim, token: tokenFor(claim, tokenIn(ended.output)) } }
    return ended.status === 1 ? { answer: 'denied', reason: lastWords(ended) ?? 'the command denies it' } : unknown(saidNothing(ended))
  }
  const stands = async ({ claim, token }: Grant, going: AbortSignal): Promise<boolean> => {
    if (closed) return false
    const ended = await run({ asks: 'holds', claim: requireClaim(claim), token }, going)
    return ended.status === 0 && (tokenIn(ended.output) ?? own.get(claimText(claim)) ?? token) === token
  }
  return {
    claim: async (claim, signal) => {
      const answer = await ask({ signal, timeoutMs }, (going) => decide(requireClaim(claim), going))
      return 'said' in answer ? answer.said : unknown(answer.trouble)
    },
    holds: async (grant, signal) => {
      const answer = await ask({ signal, timeoutMs }, (going) => stands(grant, going))
      return 'said' in answer && answer.said
    },
    close: () => {
      closed = true
      return Promise.resolve()
    },
  }
}

/** A number that is the whole of the first line. */
function tokenIn(output: string): bigint | undefined {
  const number = /^(\d{1,20})\r?(?:\n|$)/.exec(output)?.[1]
  return number === undefined ? undefined : BigInt(number)
}

function saidNothing(ended: Ended): string {
  const how = ended.status === undefined ? 'the command was ended by a signal' : `the command ended with status ${ended.status}`
  const words = lastWords(ended)
  return words === undefined ? how : `${how}: ${words}`
}

function lastWords({ output, messages }: Ended): string | undefined {
  return lastLine(messages) ?? lastLine(output)
}

function lastLine(text: string): string | undefined {
  return text.split('\n').map((line) => line.trim()).filter((line) => line !== '').at(-1)
}
