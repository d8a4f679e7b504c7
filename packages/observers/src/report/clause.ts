import type { AnyObservedEvent } from '@xen-replication/plugin-api'
import { bytesText, durationText } from './wording.ts'

/** How much an item of the story matters: `turn` is drawn into the plots as well. */
export type Weight = 'plain' | 'turn' | 'bad' | 'good'

/** What happened, in plain words. Names in it come from outside and are not escaped yet. */
export interface Clause {
  readonly text: string
  readonly weight: Weight
}

const say = (text: string, weight: Weight = 'plain'): Clause => ({ text, weight })

/** Moves of a strategy that happen over and over. */
const ROUTINE: ReadonlySet<string> = new Set(['begin', 'copied', 'due', 'stored', 'checkpoint-read'])

/** What an event means to somebody who reads the story afterwards; undefined where it adds nothing. */
export function clauseOf(event: AnyObservedEvent): Clause | undefined {
  switch (event.kind) {
    case 'operation.begin':
      return say(`xr ${event.data.verb} begins${event.data.guest === undefined ? '' : ` with ${event.data.guest}`}${event.data.url === undefined ? '' : `, ${event.data.url}`}.`)
    case 'operation.end':
      return endClause(event.data)
    case 'guest.announced':
      return say(`The guest is ${event.data.guest}: ${event.data.kind.toUpperCase()}${event.data.memoryBytes === undefined ? '' : `, ${bytesText(event.data.memoryBytes)}`}.`)
    case 'guest.fate':
      return fateClause(event.data)
    case 'replication.begin':
      return beginClause(event.data)
    case 'link.up':
      return say(`The link is up: ${event.data.url}.`)
    case 'link.down':
      return say(`The link is lost${event.data.code === undefined ? '' : ` (${event.data.code})`}: ${event.data.url}.`, 'bad')
    case 'epoch.acknowledged':
      return event.data.epoch === 0 ? say('The backup has a whole copy: from here on the guest is protected.', 'good') : undefined
    case 'arbiter.answer':
      return answerClause(event.data)
    case 'strategy.move':
      return moveClause(event.data)
    case 'save.trouble':
      return say(`Trouble: ${event.data.what}: ${String(event.data.error)}`, 'bad')
    default:
      return undefined
  }
}

type Data<K extends AnyObservedEvent['kind']> = Extract<AnyObservedEvent, { readonly kind: K }>['data']

function endClause({ outcome, code, seconds }: Data<'operation.end'>): Clause {
  const after = `after ${durationText(seconds * 1000)}`
  if (outcome === 'done') return say(`It is done, ${after}.`)
  return outcome === 'interrupted' ? say(`It was called off ${after}.`) : say(`It ended with an error ${after}${code === undefined ? '' : `: ${code}`}.`, 'bad')
}

function fateClause({ guest, fate }: Data<'guest.fate'>): Clause {
  const words = {
    runs: `${guest} runs here.`,
    paused: `${guest} is here, paused.`,
    suspended: `${guest} is here and stands still; nobody may let it go on.`,
    gone: `${guest} is not here any more.`,
    ended: `${guest} has ended.`,
    unknown: `Nobody knows how ${guest} stands here.`,
  }
  return say(words[fate], fate === 'runs' ? 'good' : fate === 'suspended' || fate === 'unknown' ? 'bad' : 'plain')
}

function beginClause({ strategy, options, silenceMs, arbitration }: Data<'replication.begin'>): Clause {
  const interval = typeof options['interval'] === 'number' ? `, a checkpoint every ${durationText(options['interval'])}` : ''
  const who = { none: 'nobody decides by itself', arbiter: 'an arbiter decides', unsafe: 'each side takes over by itself' }[arbitration]
  return say(`Strategy ${strategy}${interval}. After ${durationText(silenceMs)} of silence the other side is taken for lost; ${who} then.`)
}

function answerClause({ answer, reason }: Data<'arbiter.answer'>): Clause {
  const why = reason === undefined ? '' : ` (${reason})`
  if (answer === 'granted') return say(`The arbiter grants this side the right to run the guest${why}.`, 'good')
  return answer === 'denied' ? say(`The arbiter denies this side the right to run the guest${why}.`, 'bad') : say(`The arbiter gives no answer${why}: the guest does not run on this side until there is one.`, 'bad')
}

/** Words for what strategies have in common; a move that none fits is told as it stands in the table. */
const events: Readonly<Record<string, Readonly<Record<'primary' | 'secondary', string>>>> = {
  'peer-lost': { primary: 'The backup is lost: the guest stands still until it is known who may run it.', secondary: 'The primary is lost: this side asks for the right to run the guest.' },
  won: { primary: 'This side goes on with the guest alone.', secondary: 'This side takes over: the guest is made of the last acknowledged epoch.' },
  lost: { primary: 'The guest may run at the backup; here it is destroyed.', secondary: 'The guest runs at the primary; the copy is destroyed.' },
  fenced: { primary: 'What the arbiter granted does not hold any more.', secondary: 'What the arbiter granted does not hold any more.' },
  failed: { primary: 'This side cannot go on with the protection.', secondary: 'This side cannot go on with the protection.' },
  stop: { primary: 'The operator ends the protection.', secondary: 'The operator ends the protection.' },
  failover: { primary: 'The operator asks for a failover.', secondary: 'The operator asks for a failover.' },
  'hand-over': { primary: 'The backup asks for the guest.', secondary: 'The backup asks for the guest.' },
  yours: { primary: 'The guest is handed over.', secondary: 'The primary hands the guest over.' },
  taken: { primary: 'The backup runs the guest.', secondary: 'The backup runs the guest.' },
  left: { primary: 'The backup has let go of its copy.', secondary: 'The primary has let go of the guest.' },
  refused: { primary: 'The backup does not take the guest.', secondary: 'The guest is not taken.' },
  leave: { primary: 'The primary ends the protection.', secondary: 'The primary ends the protection.' },
}

const BAD: ReadonlySet<string> = new Set(['lost', 'fenced', 'failed', 'refused'])

function moveClause({ role, from, event, to }: Data<'strategy.move'>): Clause | undefined {
  if (to === 'active') return say('The guest runs here now.', 'good')
  if (ROUTINE.has(event) || event === 'done' || event === 'unknown' || event === 'again') return undefined
  if (event === 'peer-lost' && to !== 'arbitrating') return say('The other side is lost before it had a whole copy.', 'bad')
  const words = Object.hasOwn(events, event) ? events[event]?.[role] : undefined
  if (words !== undefined) return say(words, event === 'peer-lost' ? 'turn' : event === 'won' ? 'good' : BAD.has(event) ? 'bad' : 'plain')
  return say(`The ${role} goes from '${from}' to '${to}' by '${event}'.`)
}
