import { Command } from 'commander'
import { listOption, type OptionValues, type Verb, type VerbEntry } from './commands/command.ts'
import { addOptions, optionsOf } from './options.ts'
import { ownVersion } from './version.ts'

/** A verb as the command line asks for it. */
export interface Invocation {
  readonly name: string
  readonly verb: Verb
  readonly args: readonly string[]
  /** Of the verb and of `xr` itself. */
  readonly options: OptionValues
}

/** Where the text of the help goes, and the verb when one is asked for. */
export interface ProgramEvents {
  help(text: string): void
  invoke(invocation: Invocation): Promise<void>
}

const EXIT_HELP = `
Exit status: 0 done, 1 failed, 2 wrong usage, 3 image invalid or images differ, 4 damaged but something was salvaged,
5 peer lost, 6 not allowed by the arbiter, 7 not supported by backend or plugin, 8 interrupted.

'xr help VERB' tells how a verb is used.`

/** The command tree. It throws instead of exiting, and loads the module of a verb only when that verb is asked for. */
export function createProgram(verbs: readonly VerbEntry[], events: ProgramEvents): Command {
  const program = new Command('xr')
    .description('read, check, write, move and replicate the state of running Xen guests')
    .version(ownVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this')
    .helpCommand(false)
    .usage('VERB [options]')
    .enablePositionalOptions()
    .addHelpText('after', EXIT_HELP)
  quiet(program, events)
  addOptions(program, optionsOf(undefined))
  for (const entry of verbs) program.addCommand(bare(entry, events), { hidden: entry.hidden === true })
  program.hook('preSubcommand', async (_program, command) => {
    const entry = verbs.find(({ name }) => name === command.name()) as VerbEntry
    const { verb } = await entry.load()
    complete(command, verb)
    command.action(() =>
      events.invoke({ name: entry.name, verb, args: command.args, options: together(program.opts<OptionValues>(), command.opts<OptionValues>()) }),
    )
  })
  return program
}

/** Options before the verb and behind it. What stands behind it counts, lists are joined. */
function together(before: OptionValues, behind: OptionValues): OptionValues {
  const joined = Object.keys(behind).map((name) => [name, [...listOption(before, name), ...listOption(behind, name)]] as const)
  return { ...before, ...behind, ...Object.fromEntries(joined.filter(([, list]) => list.length > 0)) }
}

/** The command of one verb with its help and options, for `xr help VERB`. */
export async function commandOf(entry: VerbEntry): Promise<Command> {
  const { verb } = await entry.load()
  const command = bare(entry, { help: () => undefined }).name(`xr ${entry.name}`)
  complete(command, verb)
  return command
}

function bare(entry: VerbEntry, events: Pick<ProgramEvents, 'help'>): Command {
  return quiet(new Command(entry.name).summary(entry.summary).helpCommand(false), events)
}

function quiet(command: Command, { help }: Pick<ProgramEvents, 'help'>): Command {
  return command.exitOverride().configureOutput({ writeOut: help, writeErr: help, outputError: () => undefined })
}

function complete(command: Command, verb: Verb): void {
  for (const { name, what, many, optional, choices } of verb.args) {
    const word = many === true ? `${name}...` : name
    const argument = command.createArgument(optional === true ? `[${word}]` : `<${word}>`, what)
    command.addArgument(choices === undefined ? argument : argument.choices(choices))
  }
  addOptions(command, optionsOf(verb))
  command
    .helpOption('-h, --help', 'print this')
    .description([command.summary(), ...verb.about].join('\n\n'))
    .allowExcessArguments(false)
    .addHelpText('after', examplesText(verb))
}

function examplesText({ examples }: Verb): string {
  if (examples.length === 0) return ''
  return `\nExamples:\n${examples.map(([command, what]) => `  ${command}\n      ${what}`).join('\n')}`
}
