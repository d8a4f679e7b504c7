import type { LinkOptions } from '@xen-replication/toolstack'
import { textOption, type Option, type OptionValues } from '../commands/command.ts'
import { bytesPerSecondOf, millisecondsOf } from './quantity.ts'

/** Options of a link between two xr. */
export const linkOptions: readonly Option[] = [
  { flags: '--compress <HOW>', what: 'between two xr: auto, none, zstd, lz4 or another that both have', standard: 'auto' },
  { flags: '--bandwidth <RATE>', what: 'between two xr: send no more than this, as in 1Gbit/s or 100MiB/s', standard: 'as fast as it goes' },
  { flags: '--wait <TIME>', what: 'between two xr: how long to wait for a link that was lost', standard: '30s' },
]

export const dialOption: Option = { flags: '--connect-timeout <TIME>', what: 'how long to go on where nobody listens yet', standard: '10s' }

/** @throws CliError CLI_USAGE */
export function linkOptionsOf(options: OptionValues): LinkOptions {
  const [bandwidth, wait] = [textOption(options, 'bandwidth'), textOption(options, 'wait')]
  return {
    compression: textOption(options, 'compress'),
    bandwidth: bandwidth === undefined ? undefined : bytesPerSecondOf(bandwidth, '--bandwidth'),
    waitMs: wait === undefined ? undefined : millisecondsOf(wait, '--wait'),
  }
}

/** The first of them that was given, as it was typed. */
export const givenLinkOption = (options: OptionValues): string | undefined => ['compress', 'bandwidth', 'wait'].filter((name) => textOption(options, name) !== undefined).map((name) => `--${name}`)[0]

/** Milliseconds; undefined when it was not given. @throws CliError CLI_USAGE */
export function patienceOf(options: OptionValues): number | undefined {
  const text = textOption(options, 'connectTimeout')
  return text === undefined ? undefined : millisecondsOf(text, '--connect-timeout')
}
