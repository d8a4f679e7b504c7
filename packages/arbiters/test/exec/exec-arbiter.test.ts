import { execArbiter } from '@xen-replication/arbiters'
import { arbiterCases, type ArbiterBench } from '@xen-replication/compliance'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { claimOf, grantFor, guest, never, reasonOf } from '../asking.ts'
import { tempDir, type TempDir } from '../temp-dir.ts'

const arbiter = execArbiter({ timeoutMs: 30_000, env: process.env, now: () => 1_700_000_000_000 })
const open = (line: string): ReturnType<typeof arbiter.open> => arbiter.open(`exec:${line}`, never())
let dir: TempDir
beforeEach(() => {
  dir = tempDir()
})
afterEach(() => dir.remove())

/** Decides as a command of a user could: a folder per session, made by whoever comes first. */
const DECIDE = `
asks=$1 guest=$2 session=$(printf %s "$3" | tr ' ' _) side=$4 token=$5
cd "$SHARED" || exit 2
if [ "$asks" = holds ]; then
  [ -e "$guest.$session.won" ] && [ "$(cat "$guest.$session.won")" = "$side $token" ] && [ "$(cat "$guest.last")" = "$token" ]
  exit
fi
exec 9>>lock; flock 9
if [ ! -e "$guest.$session.won" ]; then
  next=$(( $(cat "$guest.last" 2>/dev/null || echo 0) + 1 ))
  echo "$next" > "$guest.last"
  echo "$side $next" > "$guest.$session.won"
fi
read -r winner number < "$guest.$session.won"
echo "$number"
[ "$winner" = "$side" ] || { echo "the $winner has it" >&2; exit 1; }
`

describe('the contract of an arbiter, with a command that keeps it', () => {
  const openBench = (): Promise<ArbiterBench> => {
    const own = tempDir()
    writeFileSync(own.path('decide.sh'), DECIDE)
    const shared = execArbiter({ timeoutMs: 30_000, env: { ...process.env, SHARED: own.root }, now: Date.now })
    return Promise.resolve({ open: () => shared.open(`exec:sh ${own.path('decide.sh')} "$@"`, never()), close: () => Promise.resolve(own.remove()) })
  }
  for (const one of arbiterCases) it(one.name, () => one.run(openBench))
})

describe('what a command is told', () => {
  it('stands in its environment and in its arguments', async () => {
    const told = dir.path('told')
    await grantFor(await open(`printf '%s|' "$XR_ASKS" "$XR_GUEST" "$XR_SESSION" "$XR_SIDE" "$XR_TOKEN" "$@" > ${told}`), claimOf('a b', 'secondary'))
    expect(readFileSync(told, 'utf8')).toBe(`claim|${guest}|a b|secondary||claim|${guest}|a b|secondary||`)
  })

  it('is the token, when it is asked whether a grant stands', async () => {
    const here = await open('[ "$1 $5" = "holds 7" ]')
    expect(await here.holds({ claim: claimOf('s'), token: 7n }, never())).toBe(true)
    expect(await here.holds({ claim: claimOf('s'), token: 8n }, never())).toBe(false)
  })

  it('is never taken for a part of the command', async () => {
    const trap = dir.path('trap')
    const verdict = await (await open('true "$3"')).claim(claimOf(`"; touch ${trap}; $(touch ${trap}) \`touch ${trap}\``), never())
    expect([verdict.answer, existsSync(trap)]).toEqual(['granted', false])
  })
})

describe('what its end means', () => {
  it('status 0 grants, with the number that it printed', async () => expect((await grantFor(await open('echo 41; echo more'), claimOf('s'))).token).toBe(41n))

  it.each(['true', 'echo granted', 'echo -5', 'echo 4 1', `echo ${'9'.repeat(30)}`])('status 0 grants with the time as the number when it printed none: %s', async (line) => {
    const here = await open(line)
    const grant = await grantFor(here, claimOf('s'))
    expect(grant.token).toBe(1_700_000_000_000n)
    expect(await here.holds(grant, never())).toBe(true)
    expect(await here.holds({ ...grant, token: 5n }, never())).toBe(false)
  })

  it('a number that was not printed stays the same for the claim', async () => {
    let time = 1000
    const here = await execArbiter({ timeoutMs: 30_000, env: process.env, now: () => time++ }).open('exec:true', never())
    const [first, other, again] = [await grantFor(here, claimOf('a')), await grantFor(here, claimOf('b')), await grantFor(here, claimOf('a'))]
    expect([first.token, other.token > first.token, again.token]).toEqual([1000n, true, 1000n])
  })

  it('status 1 denies, with its last words', async () => {
    expect(await (await open('echo one >&2; echo two >&2; exit 1')).claim(claimOf('s'), never())).toEqual({ answer: 'denied', reason: 'two' })
    expect(await (await open('exit 1')).claim(claimOf('s'), never())).toMatchObject({ answer: 'denied', reason: expect.stringMatching(/./) as string })
  })

  it.each([
    ['exit 2', /status 2/],
    ['echo the switch is off >&2; exit 255', /status 255: the switch is off/],
    ['kill -9 $$', /signal/],
    ['/no/such/command', /status 127.*not found/],
  ])('any other end is no answer: %s', async (line, why) => {
    const here = await open(line)
    const verdict = await here.claim(claimOf('s'), never())
    expect(verdict.answer).toBe('unknown')
    expect(reasonOf(verdict)).toMatch(why)
    expect(await here.holds({ claim: claimOf('s'), token: 1n }, never())).toBe(false)
  })

  it('output without end does no harm', async () => {
    expect((await (await open('head -c 50000000 /dev/zero; exit 0')).claim(claimOf('s'), never())).answer).toBe('granted')
  })

  it('what it leaves running does not hold up the answer', async () => {
    const pid = dir.path('pid')
    expect((await (await open(`sleep 600 & echo $! > ${pid}; exit 0`)).claim(claimOf('s'), never())).answer).toBe('granted')
    process.kill(Number(readFileSync(pid, 'utf8')))
  })
})

describe('a command that hangs', () => {
  /** Waits until the process that the command started is gone. */
  const gone = async (pid: string): Promise<boolean> => {
    for (let i = 0; i < 500; i++) {
      if (!existsSync(`/proc/${readFileSync(pid, 'utf8').trim()}`)) return true
      await sleep(20)
    }
    return false
  }

  it('is killed with all that it started, and that is no answer', async () => {
    const pid = dir.path('pid')
    const verdict = await (await execArbiter({ timeoutMs: 700, env: process.env, now: Date.now }).open(`exec:sleep 600 & echo $! > ${pid}; wait`, never())).claim(claimOf('s'), never())
    expect(verdict).toMatchObject({ answer: 'unknown', reason: expect.stringContaining('700 ms') as string })
    expect(await gone(pid)).toBe(true)
  })

  it('is killed when asking is called off', async () => {
    const pid = dir.path('pid')
    const stop = new AbortController()
    const asked = (await open(`sleep 600 & echo $! > ${pid}; wait`)).claim(claimOf('s'), stop.signal)
    while (!existsSync(pid) || readFileSync(pid, 'utf8') === '') await sleep(10)
    stop.abort(new Error('called off'))
    await expect(asked).rejects.toThrow('called off')
    expect(await gone(pid)).toBe(true)
  })
})

describe('opening', () => {
  it.each(['exec:', 'exec:  '])('%j is refused', (url) => expect(arbiter.open(url, never())).rejects.toMatchObject({ code: 'ARBITER_ADDRESS' }))

  it('runs nothing, and a closed arbiter runs nothing', async () => {
    const ran = dir.path('ran')
    const here = await open(`touch ${ran}`)
    await here.close()
    expect((await here.claim(claimOf('s'), never())).answer).toBe('unknown')
    expect(await here.holds({ claim: claimOf('s'), token: 1n }, never())).toBe(false)
    expect(existsSync(ran)).toBe(false)
  })

  it('a session that cannot be passed on runs nothing', async () => {
    const ran = dir.path('ran')
    expect((await (await open(`touch ${ran}`)).claim(claimOf('a\nb'), never())).answer).toBe('unknown')
    expect(existsSync(ran)).toBe(false)
  })
})
