import type { Summary } from '@xen-replication/format'
import { bytesText, countText, plural } from '../output/units.ts'

type Config = NonNullable<Summary['config']>
const kinds = { json: 'JSON of libxl', text: 'as in /etc/xen', unreadable: 'cannot be read' } as const

/** Lines about the configuration in front of the stream; none when there is none. */
export function configPairs(config: Config | undefined): readonly (readonly [name: string, value: string | undefined])[] {
  if (config === undefined) return []
  const others = Object.entries(config.others).map(([kind, count]) => plural(count, kind.replace(/s$/, '')))
  return [
    ['form', `${kinds[config.kind]}, ${bytesText(config.bytes)}`],
    ['name', config.name],
    ['uuid', config.uuid],
    ['type', config.type],
    ['vCPUs', vcpusText(config)],
    ['memory', memoryText(config)],
    ['kernel', config.kernel],
    ['disks', config.disks.map(diskText).join('\n') || undefined],
    ['network', config.nics.map(nicText).join('\n') || undefined],
    ['others', others.join(', ') || undefined],
  ]
}

function vcpusText({ vcpus, maxVcpus }: Config): string | undefined {
  if (vcpus !== undefined && maxVcpus !== undefined && vcpus !== maxVcpus) return `${countText(vcpus)} of ${countText(maxVcpus)}`
  const count = vcpus ?? maxVcpus
  return count === undefined ? undefined : countText(count)
}

function memoryText({ maxMemory, targetMemory }: Config): string | undefined {
  const parts = [targetMemory && bytesText(targetMemory), maxMemory && `at most ${bytesText(maxMemory)}`]
  return parts.filter(Boolean).join(', ') || undefined
}

const diskText = ({ vdev, path, backend, format }: Config['disks'][number]): string =>
  [vdev, path, backend, format].filter((part) => part !== undefined).join(' ')

const nicText = ({ mac, bridge, model }: Config['nics'][number]): string =>
  [mac, bridge && `on ${bridge}`, model].filter((part) => part !== undefined).join(' ')
