import tab from '@bomb.sh/tab'
import { exitCodes } from '../exit-codes.ts'
import { writeDocument } from '../output/json.ts'
import type { Verb } from './command.ts'

const shells = ['bash', 'zsh', 'fish'] as const

export const verb: Verb = {
  args: [{ name: 'SHELL', what: 'the shell to write it for', choices: shells }],
  options: [],
  about: ['Prints a script that makes the shell complete verbs, options, their values and file names.'],
  examples: [
    ['xr completion bash > /etc/bash_completion.d/xr', 'for all users of bash'],
    ['source <(xr completion zsh)', 'for this zsh, from here on'],
    ['xr completion fish > ~/.config/fish/completions/xr.fish', 'for your fish'],
  ],
  run: async ({ stdout, json }, [shell = 'bash']) => {
    const script = scriptFor(shell)
    if (json) await writeDocument(stdout, 'xr.completion/1', { shell, script })
    else await stdout.write(script)
    return exitCodes.done
  },
}

/** The library prints its script and cannot be told where to. */
function scriptFor(shell: string): string {
  const parts: string[] = []
  const { log } = console
  console.log = (text: string) => void parts.push(`${text}\n`)
  try {
    tab.setup('xr', 'xr', shell)
  } finally {
    console.log = log
  }
  return parts.join('')
}
