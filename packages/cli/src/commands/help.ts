import { usageError } from '../cli-error.ts'
import { exitCodes } from '../exit-codes.ts'
import { optionsOf } from '../options.ts'
import { writeDocument } from '../output/json.ts'
import { commandOf, createProgram } from '../program.ts'
import type { Verb, VerbEntry } from './command.ts'

/** The verb that tells about these verbs, itself among them. */
export const helpOn = (verbs: readonly VerbEntry[]): Verb => ({
  args: [{ name: 'VERB', what: 'the verb; all of them are listed without it', optional: true }],
  options: [],
  about: [],
  examples: [['xr help verify', 'how images are checked']],
  run: async ({ stdout, json }, [name]) => {
    const entry = name === undefined ? undefined : entryOf(verbs, name)
    if (json) await writeDocument(stdout, 'xr.help/1', entry === undefined ? listed(verbs) : await described(entry))
    else await stdout.write(entry === undefined ? allHelp(verbs) : await verbHelp(entry))
    return exitCodes.done
  },
})

function entryOf(verbs: readonly VerbEntry[], name: string): VerbEntry {
  const entry = verbs.find((one) => one.name === name)
  if (entry === undefined) throw usageError(`there is no verb '${name}'`, '`xr help` lists the verbs')
  return entry
}

function allHelp(verbs: readonly VerbEntry[]): string {
  let text = ''
  const program = createProgram(verbs, {
    help: (part) => {
      text += part
    },
    invoke: () => Promise.resolve(),
  })
  program.outputHelp()
  return text
}

async function verbHelp(entry: VerbEntry): Promise<string> {
  let text = ''
  const command = await commandOf(entry)
  command.configureOutput({
    writeOut: (part) => {
      text += part
    },
  })
  command.outputHelp()
  return text
}

const listed = (verbs: readonly VerbEntry[]): object => ({ verbs: verbs.map(({ name, summary }) => ({ name, summary })) })

async function described(entry: VerbEntry): Promise<object> {
  const { name, summary } = entry
  const { verb: asked } = await entry.load()
  return { verb: name, summary, about: asked.about, arguments: asked.args, options: optionsOf(asked), examples: asked.examples }
}
