import { bytesText, durationText, plural } from '../output/units.ts'
import { judges, type FileVerdict, type FindingDocument, type Judge, type VerifiedFile } from './document.ts'

const PLACES = 3

/** What `xr verify` prints of one file: verdicts, then findings by code. */
export function verifiedText(one: VerifiedFile, by: Judge): string {
  if ('error' in one) return `${one.file}: not read\n`
  return `${headText(one, by)}${judges.map((judge) => verdictText(one, judge)).join('')}${findingsText(one)}`
}

function headText({ file, verdict, format, guest, streamType, bytes, seconds }: FileVerdict, by: Judge): string {
  const stream = streamType === 'plain' ? '' : `, ${streamType} stream`
  const what = `${format === 'unknown' ? 'no image' : format}, ${guest === 'unknown' ? 'guest unknown' : `${guest} guest`}${stream}`
  return `${file}: ${verdict[by]} (${what}, ${bytesText(bytes)} in ${durationText(seconds * 1000)})\n`
}

const judgeNames: Readonly<Record<Judge, string>> = {
  xen: "Xen's restorer",
  verifier: 'verify-stream-v2',
  strict: 'the specification',
}

function verdictText({ verdict, findings }: FileVerdict, judge: Judge): string {
  const against = findings.filter((finding) => finding[judge] === 'reject').length
  const why = against === 0 ? '' : `, ${plural(against, 'finding')}`
  return `  ${judgeNames[judge].padEnd(17)}  ${verdict[judge]}${why}\n`
}

function findingsText({ findings, suppressed, pages }: FileVerdict): string {
  const groups = grouped(findings)
  const texts = [...groups.values()].map((group) => groupText(group))
  if (suppressed > 0) texts.push(`  and ${plural(suppressed, 'finding')} more of the same kinds\n`)
  if (pages !== undefined) {
    texts.push(`  pages: ${plural(pages.read, 'page')} read, ${pages.zero} of them zero, checksum ${pages.digest.toString(16).padStart(8, '0')}\n`)
  }
  return texts.join('')
}

function grouped(findings: readonly FindingDocument[]): Map<string, FindingDocument[]> {
  const groups = new Map<string, FindingDocument[]>()
  for (const finding of findings) groups.set(finding.code, [...(groups.get(finding.code) ?? []), finding])
  return groups
}

function groupText(group: readonly FindingDocument[]): string {
  const [first] = group
  if (first === undefined) return ''
  const refusers = judges.filter((judge) => first[judge] === 'reject').map((judge) => judgeNames[judge])
  const times = group.length === 1 ? '' : ` (${group.length} times)`
  const more = group.length > PLACES ? ', …' : ''
  return [
    `  ${first.severity} ${first.code}${times}: ${first.message}\n`,
    `      ${group.slice(0, PLACES).map(placeText).join('; ')}${more}\n`,
    `      refused by: ${refusers.length === 0 ? 'nobody' : refusers.join(', ')}\n`,
    `      hint: ${first.hint}\n`,
  ].join('')
}

function placeText({ offset, record, layer }: FindingDocument): string {
  return `at byte ${offset}${record === null ? '' : `, record ${record}`} (${layer})`
}
