import { scripts, shells } from '../completion/scripts.ts'
import { exitCodes } from '../exit-codes.ts'
import { writeDocument } from '../output/json.ts'
import type { Verb } from './command.ts'

export const verb: Verb = {
  args: [{ name: 'SHELL', what: 'the shell to write it for', choices: shells }],
  options: [],
  about: ['Prints a script that makes the shell complete verbs, options, their values and file names.'],
  examples: [
    ['xr completion bash > /etc/bash_completion.d/xr', 'for all users of bash'],
    ['source <(xr completion zsh)', 'for this zsh, from here on'],
    ['xr completion fish > ~/.config/fish/completions/xr.fish', 'for your fish'],
  ],
  run: async ({ stdout, json }, [word]) => {
    const shell = shells.find((one) => one === word) ?? 'bash'
    if (json) await writeDocument(stdout, 'xr.completion/1', { shell, script: scripts[shell] })
    else await stdout.write(scripts[shell])
    return exitCodes.done
  },
}
