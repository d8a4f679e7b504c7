import { BackendError, type CreateRequest } from '@xen-replication/hypervisor'
import { workloads, type WorkloadName } from '../guest/workload.ts'
import type { GuestSpec } from './options.ts'

type Reading = (text: string, name: string) => Partial<GuestSpec>

const number = (text: string, name: string): number => {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw unknown(`'${name}' takes a number, not '${text}'`)
  return value
}

const oneOf = <T extends string>(choices: readonly T[], text: string, name: string): T => {
  const found = choices.find((choice) => choice === text)
  if (found === undefined) throw unknown(`'${name}' is one of ${choices.join(', ')}, not '${text}'`)
  return found
}

/** What a simulated guest can be told, by the name that users give it. */
const readings: Readonly<Record<string, Reading>> = {
  workload: (text, name) => ({ workload: oneOf<WorkloadName>(workloads, text, name) }),
  rate: (text, name) => ({ rate: number(text, name) }),
  seed: (text, name) => ({ seed: number(text, name) >>> 0 }),
  fill: (text, name) => ({ fill: number(text, name) }),
  start: (text, name) => ({ start: oneOf(['running', 'paused'], text, name) }),
  p2m: (text, name) => ({ p2m: oneOf(['linear', 'tree'], text, name) }),
  'ballooned-pages': (text, name) => ({ balloonedPages: number(text, name) }),
  nics: (text, name) => ({ nics: number(text, name) }),
  disks: (text, name) => ({ disks: number(text, name) }),
  'noise-every': (text, name) => ({ noiseEvery: number(text, name) }),
  'suspend-ms': (text, name) => ({ suspend: { latencyMs: number(text, name) } }),
}

/** @throws BackendError BACKEND_UNSUPPORTED for settings that a simulated guest does not have */
export function specOf({ settings, name, kind, width, memoryBytes, vcpus }: CreateRequest): GuestSpec {
  const own = Object.entries(settings).map(([setting, text]) => {
    const read = Object.hasOwn(readings, setting) ? readings[setting] : undefined
    if (read === undefined) throw unknown(`a simulated guest has no setting '${setting}'`)
    return read(text, setting)
  })
  return Object.assign({ name, kind, ...given({ width, memoryBytes, vcpus }) }, ...own) as GuestSpec
}

const given = <T extends object>(values: T): Partial<T> => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>

const unknown = (what: string): BackendError => new BackendError('BACKEND_UNSUPPORTED', what, { hint: `settings: ${Object.keys(readings).join(', ')}` })
