import { usageError } from '../cli-error.ts'
import { exitCodes } from '../exit-codes.ts'
import { optionsOf } from '../options.ts'
import { writeDocument } from '../output/json.ts'
import { commandOf, createProgram } from '../program.ts'
import { verbs, type VerbEntry } from '../verbs.ts'
import type { Verb } from './command.ts'

export const verb: Verb = {
  args: [{ name: 'VERB', what: 'the verb; all of them are listed without it', optional: true }],
  options: [],
  about: [],
  examples: [['xr help verify', 'how images are checked']],
  run: async ({ stdout, json }, [name]) => {
    const entry = name === undefined ? undefined : entryOf(name)
    if (json) await writeDocument(stdout, 'xr.help/1', entry === undefined ? listed() : await described(entry))
    else await stdout.write(entry === undefined ? allHelp() : await verbHelp(entry))
    return exitCodes.done
  },
}

function entryOf(name: string): VerbEntry {
  const entry = verbs.find((one) => one.name === name)
  if (entry === undefined) throw usageError(`there is no verb '${name}'`, '`xr help` lists the verbs')
  return entry
}

function allHelp(): string {
  let text = ''
  const program = createProgram({
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

const listed = (): object => ({ verbs: verbs.map(({ name, summary }) => ({ name, summary })) })

async function described(entry: VerbEntry): Promise<object> {
  const { name, summary } = entry
  const { verb: asked } = await entry.load()
  return { verb: name, summary, about: asked.about, arguments: asked.args, options: optionsOf(asked), examples: asked.examples }
}
