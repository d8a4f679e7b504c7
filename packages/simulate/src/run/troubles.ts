import type { HostName, Trouble } from './scenario.ts'
import type { World } from './world.ts'

/** Plans everything that is to go wrong. @param begun told when something begins, and for how many milliseconds it lasts */
export function planTroubles(world: World, begun: (ms: number) => void): void {
  for (const { at, when, trouble } of world.scenario.troubles) {
    const start = (): void => {
      begun('ms' in trouble && Number.isFinite(trouble.ms) ? trouble.ms : 0)
      begin(world, trouble)
    }
    if (when === undefined) world.time.after(at, start)
    else world.whenIn(when.who, when.state, () => void world.time.after(at, start))
  }
}

function begin(world: World, trouble: Trouble): void {
  world.story.tell('trouble', textOf(trouble))
  const { members, connection, network, arbiter, time } = world
  switch (trouble.what) {
    case 'kill':
      world.watch.dies(trouble.who, readiness(world))
      return kill(world, trouble.who)
    case 'power':
      world.watch.dies(trouble.who, readiness(world))
      connection.dead(trouble.who, trouble.keep)
      members[trouble.who].process.kill()
      return members[trouble.who].host.powerOff()
    case 'freeze':
      return freeze(world, trouble)
    case 'cut':
      return connection.cut(trouble.who, trouble.keep)
    case 'block':
      for (const [from, to] of trouble.ways) network.block(from, to)
      if (Number.isFinite(trouble.ms)) time.after(trouble.ms, () => trouble.ways.forEach(([from, to]) => network.open(from, to)))
      return
    case 'arbiter-down':
      arbiter.state = 'down'
      return void time.after(trouble.ms, () => (arbiter.state = 'up'))
    case 'slow':
      network.slow(trouble.factor)
      return void time.after(trouble.ms, () => network.slow(1))
    case 'wish':
      return members[trouble.who].process.run(() => ask(world, trouble))
  }
}

const readiness = ({ members, manner }: World): 'ready' | 'not' => (members.b.state === manner.ready ? 'ready' : 'not')

/** States in which `failover` says that the other side is gone; nobody says so who has not looked. */
const ALONE: ReadonlySet<string> = new Set(['arbitrating', 'standing', 'winning', 'doubting', 'wondering', 'regaining'])

function ask(world: World, { who, wish }: Extract<Trouble, { what: 'wish' }>): void {
  const { members, story, watch } = world
  const other = who === 'a' ? 'b' : 'a'
  const isGone = members[other].process.state === 'dead' && !watch.isActive(other)
  if (wish === 'failover' && ALONE.has(members[who].state) && !isGone) return story.tell(who, 'the operator finds that the other side may live, and asks for nothing')
  world.ask(who, wish)
}

/** The kernel closes what the process had open. */
function kill({ members, connection }: World, who: HostName): void {
  if (members[who].process.state === 'dead') return
  members[who].process.kill()
  if (!connection[who].isClosed) connection[who].hangUp()
}

function freeze({ members, time, story }: World, { who, all, ms }: Extract<Trouble, { what: 'freeze' }>): void {
  const { process, host } = members[who]
  process.freeze()
  if (all) host.hang()
  time.after(ms, () => {
    story.tell('trouble', `${who} goes on`)
    host.goOn()
    process.thaw()
  })
}

function textOf(trouble: Trouble): string {
  switch (trouble.what) {
    case 'kill':
      return `the process on ${trouble.who} is killed; its guest lives on`
    case 'power':
      return `${trouble.who} loses its power`
    case 'freeze':
      return `${trouble.all ? 'all of' : 'the process on'} ${trouble.who} stands still for ${trouble.ms.toFixed(0)} ms`
    case 'cut':
      return trouble.who === 'both' ? 'the connection is reset' : `the connection is reset, and only ${trouble.who} knows`
    case 'block':
      return `nothing passes from ${trouble.ways.map(([from, to]) => `${from} to ${to}`).join(', ') || 'nowhere'}${Number.isFinite(trouble.ms) ? ` for ${trouble.ms.toFixed(0)} ms` : ', for ever'}`
    case 'arbiter-down':
      return `the arbiter is down for ${trouble.ms.toFixed(0)} ms`
    case 'slow':
      return `the network takes ${trouble.factor} times as long for ${trouble.ms.toFixed(0)} ms`
    case 'wish':
      return `the operator on ${trouble.who} wants: ${trouble.wish}`
  }
}
