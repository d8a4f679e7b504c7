import { BackendError, type RestoreRequest } from '@xen-replication/hypervisor'

/** The configuration under the name that the guest is to have. What else is in it stays as it is, to the letter where the name is right already. */
export function configFor({ config, name }: Pick<RestoreRequest, 'config' | 'name'>): string {
  const parsed = parse(config)
  const info = isObject(parsed) ? parsed['c_info'] : undefined
  if (!isObject(parsed) || !isObject(info)) throw new BackendError('BACKEND_STATE', 'the configuration of the guest is not libxl JSON: c_info is missing', { hint: '`xr show FILE` tells what an image holds' })
  if (info['name'] === name) return config
  return JSON.stringify({ ...parsed, c_info: { ...info, name } })
}

function parse(config: string): unknown {
  try {
    return JSON.parse(config)
  } catch (cause) {
    throw new BackendError('BACKEND_STATE', 'the configuration of the guest is no JSON', { cause, hint: '`xr show FILE` tells what an image holds' })
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
