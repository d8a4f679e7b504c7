import tab from '@bomb.sh/tab/commander'
import { CommanderError } from 'commander'
import process from 'node:process'
import { exitCodes } from './exit-codes.ts'
import { createProgram } from './program.ts'
import { exitCodeOf, renderError } from './render-error.ts'

const program = createProgram()
tab(program)
try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage // its text is already on stderr
  } else {
    process.stderr.write(renderError(error))
    process.exitCode = exitCodeOf(error)
  }
}
