import { describe, expect, it } from 'vitest'
import { parseArguments } from '../src/parse-arguments.ts'
import { recordings } from './recordings.ts'

const save = (...words: string[]): string[] => ['--save-domain', ...words]
const refusal = (code: string) => expect.objectContaining({ code }) as Error

describe('a command line that libxl wrote', () => {
  it.each(recordings.map(({ name, argv }) => [name, argv] as const))('is understood: %s', (name, argv) => {
    const command = parseArguments(argv, undefined)
    expect(command).toMatchObject({ ask: 'job', job: { verb: name.includes('restore') ? 'restore' : 'save', stream: name.includes('remus') ? 'remus' : 'plain' } })
  })

  it('of a live save with debugging says so', () => {
    expect(parseArguments(save('14', '-1', '7', '3', '136', '0'), undefined)).toEqual({
      ask: 'job',
      job: { verb: 'save', streamFd: 14, domId: 7, stream: 'plain', manner: 'live', verify: true, holes: 'as-xen', callbacks: new Set(['suspend', 'switchQemuLogdirty']) },
    })
  })

  it('of a restore says where the rings end', () => {
    expect(parseArguments(['--restore-domain', '12', '20', '5', '1', '3', '2', '4', '800', '1'], undefined)).toEqual({
      ask: 'job',
      job: {
        verb: 'restore', streamFd: 12, domId: 5, stream: 'remus', callbacks: new Set(['checkpoint', 'staticDataDone']),
        rings: { store: { port: 1, domId: 3 }, console: { port: 2, domId: 4 } },
      },
    })
  })
})

describe('holes are left out', () => {
  const argv = save('14', '-1', '7', '0', '136', '0')
  it.each([[['--compact', ...argv], undefined, 'left-out'], [argv, ' --compact ', 'left-out'], [argv, '', 'as-xen'], [argv, undefined, 'as-xen']] as const)('or not: %j, %j', (words, options, holes) => {
    expect(parseArguments(words, options)).toMatchObject({ job: { holes } })
  })
})

it.each([['--help', 'help'], ['--version', 'version']])('%s is answered', (word, ask) => expect(parseArguments([word], undefined)).toEqual({ ask }))

describe('what libxl would not write is refused', () => {
  it.each([
    ['nothing', []],
    ['another mode', ['--move-domain', '1']],
    ['too few arguments', save('14', '-1', '7', '0', '136')],
    ['too many arguments', save('14', '-1', '7', '0', '136', '0', '0')],
    ['a word where a number belongs', save('14', '-1', 'seven', '0', '136', '0')],
    ['a number below zero', save('-1', '-1', '7', '0', '136', '0')],
    ['a number that no C program could hold', save('14', '-1', '7', '4294967296', '136', '0')],
    ['an unknown type of stream', save('14', '-1', '7', '0', '136', '3')],
    ['a save without the callback that suspends', save('14', '-1', '7', '0', '128', '0')],
    ['checkpoints without the callback that resumes', save('14', '-1', '7', '1', '168', '1')],
    ['checkpoints read without the callback for them', ['--restore-domain', '12', '20', '5', '1', '0', '2', '0', '768', '1']],
    ['an unknown option', ['--quick', ...save('14', '-1', '7', '0', '136', '0')]],
  ] as const)('%s', (_, argv) => expect(() => parseArguments(argv, undefined)).toThrow(refusal('HELPER_USAGE')))

  it('an unknown option in the environment', () => expect(() => parseArguments(save('14', '-1', '7', '0', '136', '0'), '--quick')).toThrow(refusal('HELPER_USAGE')))
  it('COLO', () => expect(() => parseArguments(save('14', '15', '7', '1', '255', '2'), undefined)).toThrow(refusal('HELPER_UNSUPPORTED')))
})
