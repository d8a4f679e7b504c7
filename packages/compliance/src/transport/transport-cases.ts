import type { Case } from '../case.ts'
import { carryCases } from './carry-cases.ts'
import type { LinkBench, LinkTraits } from './link-bench.ts'
import { liveCases } from './live-cases.ts'
import { storedCases } from './stored-cases.ts'

/** What a link of these traits promises. */
export function linkCases(traits: LinkTraits): readonly Case<LinkBench>[] {
  return [...carryCases(traits), ...(traits.kind === 'live' ? liveCases(traits) : storedCases)]
}
