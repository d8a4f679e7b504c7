// What must hold once a pair has come to rest, for bench/pairs.mjs.

/** Ends that are told of as they should: done, peer lost, not allowed, called off, or killed by us. */
const TOLD = new Set([0, 5, 6, 8, 'SIGKILL'])

/**
 * @param at both hosts: `guests`, and how their `xr` ended
 * @returns a sentence for each thing that must not be
 */
export function judge({ names, guests, world, a, b, dead }) {
  const wrong = []
  const runs = (side, name) => guests[side].some((guest) => guest.name === name && guest.state === 'runs')
  for (const [n, name] of names.entries()) {
    const [here, there] = [runs('a', name), runs('b', name)]
    if (here && there) wrong.push(`two run: ${name}`)
    if (!here && !there && somebodyCould({ a, b, dead })) wrong.push(`nobody runs ${name}: a has ${JSON.stringify(guests.a)}, b has ${JSON.stringify(guests.b)}`)
    wrong.push(...outputFaults(name, n + 1, world))
  }
  const sides = new Set(names.flatMap((name) => ['a', 'b'].filter((side) => runs(side, name))))
  if (names.length > 1 && sides.size > 1 && a.ended !== 'SIGKILL') wrong.push('guests of one group run on different hosts')
  for (const side of ['a', 'b']) {
    const { ended, stderr } = side === 'a' ? a : b
    if (ended === undefined) wrong.push(`xr on ${side} does not come to an end`)
    else if (!TOLD.has(ended) && !hasNotBegun(side === 'a' ? a : b)) wrong.push(`xr on ${side} ended with ${ended}: ${stderr.trim()}`)
    if (/UNKNOWN|\n\s+at |node:/.test(stderr)) wrong.push(`xr on ${side} says what no user understands: ${stderr.trim()}`)
    if (guests[side].some(({ name }) => name.endsWith('--incoming'))) wrong.push(`half a copy is left on ${side}`)
  }
  return wrong
}

/** Whoever lives and has the whole guest is to run it, unless the other side had won it before it was killed: those are two faults, and nobody has it then. */
function somebodyCould({ a, b, dead }) {
  const was = ({ events }, state) => events.some(({ event, to }) => event === 'strategy.move' && to === state)
  if (!dead.has('a')) return !(was(b, 'winning') && b.ended === 'SIGKILL')
  return b.ended !== 'SIGKILL' && was(b, 'holding') && !was(a, 'winning')
}

/** It has refused to begin, as the arbiter did not answer. */
const hasNotBegun = ({ ended, stderr, events }) => ended === 1 && /^xr: ARBITER_/m.test(stderr) && !events.some(({ event }) => event === 'link.up')

/** Whoever took over knows of everything that the world has seen. */
function outputFaults(name, domId, world) {
  const seen = Math.max(0, ...world.filter((line) => line.host === 'a' && line.what === 'packet' && line.domId === domId).map(({ ops }) => ops))
  const taken = world.filter((line) => line.host === 'b' && line.what === 'unpause')
  const its = taken[domId - 1] // they are taken over in their order
  return its !== undefined && its.ops < seen ? [`lost: the world has seen operation ${seen} of ${name}, the backup goes on at ${its.ops}`] : []
}
