// The text of docs/errors.md, from the tables in the built packages: error codes, rules on images, rules on legacy streams.
// Build first; nothing here is written by hand that a table knows.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { wrapped } from './wrapped.mjs'

const built = (path) => import(new URL(`../../packages/${path}`, import.meta.url).href)

const INTRO = `# Error codes and findings

This page is made from the tables in the code by \`npm run docs\`. Do not edit it: a test compares it with the code.

There are two kinds of codes.

* An **error** ends what was being done. It has a code, a message, a byte offset and a record number where they apply, and mostly a hint.
  \`xr\` prints it on standard error as \`xr: CODE: message (at byte N, record M)\`, then \`hint: …\`; with \`--json\` it also stands on
  standard output as a document with \`"schema": "xr.error/1"\`. Codes are stable. Messages are for people and may change.
* A **finding** is a fault of an image. \`xr verify\` lists all of them and goes on to the end of the image. Each finding comes from one
  rule. A rule says who refuses an image because of it.
`

const JUDGES = `Three judges are asked. In the lists below, *refused by* names those that refuse an image with this fault.

| Name below | In \`--json\` | Who |
|---|---|---|
| specification | \`strict\` | The written format, read strictly: a fault is what a conforming writer would not have written. |
| Xen | \`xen\` | What restores the image: \`xl\`, libxl and libxc of Xen, quirks included. |
| verifier | \`verifier\` | \`verify-stream-v2\` of Xen under Python 3, quirks included. |

| Severity | When |
|---|---|
| error | The specification or Xen refuses. |
| warning | Only the verifier refuses. |
| note | Nobody refuses; it is worth knowing all the same. |

Findings within a checkpoint that never became complete are reported, but not held against the image by Xen: its restorer drops such a
checkpoint unread. Of one rule that is broken again and again, the first LIMIT findings are listed and the others counted.
`

const LEGACY = `Streams from before Xen 4.6. Xen cannot restore them as they are: its converter comes first, so *Xen* below is the converter, and the
restorer with what the converter wrote. The verifier refuses every legacy stream (XL_LEGACY_PAYLOAD), whatever is in it.
\`xr convert\` stops at some of these faults with the error named; it goes on at others, because nothing is lost or because it can read
more than Xen's converter.
`

/** @returns the page, ending in a newline. */
export async function errorsPage() {
  const [{ LEGACY_RULES, rules }, { Findings }, { exitCodeOf, exitCodes }, { XrError }, tables] = await Promise.all([
    built('format/dist/index.js'),
    built('format/dist/rules/findings.js'),
    built('cli/dist/index.js'),
    built('errors/dist/index.js'),
    codeTables(),
  ])
  const statusOf = (code) => exitCodeOf(new XrError(code, ''))
  return [
    INTRO,
    section('Errors', 'With each code: what it means, and the exit status of `xr` when nothing else is known.\n'),
    ...tables.map(({ name, codes }) => codeTable(`\`${name}\``, codes, statusOf)),
    'An error of the system that has no code here, `ENOSPC` for example, is shown with the code of the system and ends in exit status 1.\n' +
      '`CLI_INTERNAL` stands for a fault of `xr` itself: please report it.\n',
    exitTable(exitCodes),
    section('Rules on images', JUDGES.replace('LIMIT', listedPerRule(Object.keys(rules)[0], Findings))),
    ...layers(rules, (code) => findingOf(code, Findings)),
    section('Rules on legacy streams', LEGACY),
    ...Object.entries(LEGACY_RULES).map(([code, rule]) => entry(code, rule.says, legacyFacts(rule), rule.hint)),
  ].join('\n')
}

const packagesFolder = new URL('../../packages/', import.meta.url)

/** The codes of every package that has some, by the order of the names: tables that it exports as `…Codes`, of codes and a sentence each. */
async function codeTables() {
  const folders = readdirSync(packagesFolder).filter((folder) => existsSync(new URL(`${folder}/dist/index.js`, packagesFolder))).sort()
  const tables = await Promise.all(
    folders.map(async (folder) => {
      const { name } = JSON.parse(readFileSync(new URL(`${folder}/package.json`, packagesFolder), 'utf8'))
      const parts = Object.entries(await built(`${folder}/dist/index.js`)).sort(([a], [b]) => (a < b ? -1 : 1))
      return { name, codes: Object.assign({}, ...parts.filter(([key, value]) => isCodeTable(key, value)).map(([, value]) => value)) }
    }),
  )
  return tables.filter(({ codes }) => Object.keys(codes).length > 0)
}

const isCodeTable = (name, value) => name.endsWith('Codes') && typeof value === 'object' && Object.values(value).every((meaning) => typeof meaning === 'string')

const section = (title, text) => `## ${title}\n\n${text}`

function codeTable(title, codes, statusOf) {
  const rows = Object.entries(codes).map(([code, meaning]) => `| ${code} | ${meaning} | ${statusOf(code)} |`)
  return [`### Codes of ${title}`, '', '| Code | Meaning | Exit |', '|---|---|---:|', ...rows, ''].join('\n')
}

function exitTable(exitCodes) {
  const words = (name) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  const rows = Object.entries(exitCodes).map(([name, status]) => `| ${status} | ${words(name)} |`)
  return ['### Exit status', '', 'Any other number is a failure.', '', '| Status | Means |', '|---:|---|', ...rows, ''].join('\n')
}

/** What `xr verify` would report of this rule. */
function findingOf(code, Findings) {
  const findings = new Findings()
  findings.add(code, { offset: 0 })
  return findings.list[0]
}

function listedPerRule(code, Findings) {
  const findings = new Findings()
  while (findings.suppressed === 0) findings.add(code, { offset: 0 })
  return String(findings.list.length)
}

const layerNames = { xl: 'The xl file', libxl: 'The libxl stream', libxc: 'The libxc image' }

function layers(rules, finding) {
  return Object.entries(layerNames).flatMap(([layer, title]) => [
    `### ${title}\n`,
    ...Object.keys(rules)
      .map((code) => finding(code))
      .filter((found) => found.layer === layer)
      .map(({ code, message, severity, hint, ...verdicts }) => entry(code, message, `${severity}, ${refusers(verdicts)}`, hint)),
  ])
}

function refusers({ strict, xen, verifier }) {
  const judges = [['specification', strict], ['Xen', xen], ['verifier', verifier]]
  const names = judges.filter(([, verdict]) => verdict === 'reject').map(([name]) => name)
  return names.length === 0 ? 'refused by nobody' : `refused by ${names.join(', ')}`
}

const legacyFacts = ({ strict, xen, convert, fails }) =>
  `${refusers({ strict, xen })}; \`xr convert\` ${convert === 'stops' ? `stops with ${fails}` : 'goes on'}`

/** A heading, so that a code can be linked to, and three short paragraphs. */
const entry = (code, says, facts, hint) => `#### ${code}\n\n${wrapped(`${upper(says)}. *${facts}*`)}\n\n${wrapped(`Hint: ${hint}.`)}\n`

const upper = (text) => text[0].toUpperCase() + text.slice(1)
