// Console sessions in the documents: a fenced block of kind `console`, with lines `$ COMMAND` and below each what it prints.
// They are run in bash with the built xr, as if at the root of the repository; files they make go into a folder that is thrown
// away, and all sessions of a document share it. Times differ from run to run and are let be.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const BLOCK = /^```console\n([\s\S]*?)^```$/gm
const MARK = '\u001e'
/** `npx xr` costs half a second each time; the command behind it is the same. */
const PRELUDE = `export LC_ALL=C.UTF-8\nxr() { node packages/cli/bin/xr.js "$@"; }\nnpx() { "$@"; }\n`
/** What a slow machine prints besides. */
const PROGRESS = /^.+: .+B\/s(, .+ left)?\n/gm
const TIMES = /\b\d[\d.]*[  ]?(ms|s|min)\b|"seconds": ?[\d.e-]+/g

/** @returns the document with the output of every command as it is now; output that differs only in times stays as it is. */
export function withFreshSessions(markdown) {
  const folder = likeTheRoot()
  try {
    return markdown.replaceAll(BLOCK, (block, body) => {
      const commands = commandsOf(body)
      const fresh = run(commands, folder).map((output, i) => `${commands[i]}\n${output}`).join('')
      return masked(fresh) === masked(body) ? block : `\`\`\`console\n${fresh}\`\`\``
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A folder that shows what is at the root of the repository. */
function likeTheRoot() {
  const folder = mkdtempSync(join(tmpdir(), 'xr-docs-'))
  for (const name of readdirSync(root)) if (!name.startsWith('.')) symlinkSync(join(root, name), join(folder, name))
  return folder
}

const masked = (text) => text.replaceAll(TIMES, 'TIME')

/** The command lines with their `$ `; one that ends in a backslash goes on in the next line. */
function commandsOf(body) {
  const commands = []
  let goesOn = false
  for (const line of body.split('\n')) {
    if (goesOn) commands.push(`${commands.pop()}\n${line}`)
    else if (line.startsWith('$ ')) commands.push(line)
    else continue
    goesOn = line.endsWith('\\')
  }
  return commands
}

function run(commands, cwd) {
  const script = commands.map((command) => `{ ${command.slice(2)}\n} 2>&1; status=$?; printf '${MARK}'; (exit $status)\n`).join('')
  const { stdout, stderr, error } = spawnSync('bash', ['-c', PRELUDE + script], { cwd, encoding: 'utf8', maxBuffer: 1 << 26 })
  if (error) throw error
  if (stderr !== '') throw new Error(`a session in the documents is no bash: ${stderr}`)
  return stdout.split(MARK).slice(0, commands.length).map(ended)
}

const ended = (output) => (output === '' || output.endsWith('\n') ? output : `${output}\n`).replaceAll(PROGRESS, '')
