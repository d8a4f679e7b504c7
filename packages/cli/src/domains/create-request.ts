import type { CreateRequest } from '@xen-replication/hypervisor'
import { usageError } from '../cli-error.ts'
import { listOption, textOption, type OptionValues } from '../commands/command.ts'
import { sizeOf } from '../images/size-text.ts'

const kinds = ['pv', 'pvh', 'hvm'] as const
/** Options that are settings of the simulated host. */
const settingOptions = ['workload', 'rate', 'seed'] as const

/** What is to be created, out of the options of `xr create`. @throws CliError CLI_USAGE */
export function createRequest(name: string, options: OptionValues): CreateRequest {
  const memory = textOption(options, 'memory')
  const vcpus = textOption(options, 'vcpus')
  const width = textOption(options, 'width')
  return {
    name,
    kind: kinds.find((kind) => kind === textOption(options, 'type')) ?? 'pv',
    width: width === undefined ? undefined : width === '32' ? 4 : 8,
    memoryBytes: memory === undefined ? undefined : memorySize(memory),
    vcpus: vcpus === undefined ? undefined : count(vcpus),
    settings: { ...settingsFrom(listOption(options, 'set')), ...shorthands(options) },
  }
}

/** A bare number is MiB, as in an xl.cfg. */
const memorySize = (text: string): number => sizeOf(/^\d+$/.test(text) ? `${text}MiB` : text, '--memory')

function count(text: string): number {
  const number = Number(text)
  if (!/^\d{1,4}$/.test(text) || number < 1) throw usageError(`--vcpus: '${text}' is no number of vCPUs`)
  return number
}

function settingsFrom(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at < 1) throw usageError(`--set: '${pair}' is not NAME=VALUE`)
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
}

const shorthands = (options: OptionValues): Record<string, string> =>
  Object.fromEntries(
    settingOptions.flatMap((name) => {
      const value = textOption(options, name)
      return value === undefined ? [] : [[name, value]]
    }),
  )
