import type { BackendErrorCode } from '@xen-replication/hypervisor'

/** Calls that can be made to fail, by the port they belong to and its method; and the code with which they do when none is named. */
export const faultCalls = {
  list: 'BACKEND_HOST', config: 'BACKEND_HOST', rename: 'BACKEND_HOST', create: 'BACKEND_MEMORY', openForSave: 'BACKEND_NO_SUCH_DOMAIN', openForRestore: 'BACKEND_MEMORY', openShadow: 'BACKEND_STATE', openTaps: 'BACKEND_HOST',
  frames: 'BACKEND_MEMORY', types: 'BACKEND_MEMORY', map: 'BACKEND_MAP', populate: 'BACKEND_MEMORY',
  enable: 'BACKEND_LOG_DIRTY', take: 'BACKEND_LOG_DIRTY', peek: 'BACKEND_LOG_DIRTY', disable: 'BACKEND_LOG_DIRTY',
  state: 'BACKEND_HOST', suspend: 'BACKEND_SUSPEND', resume: 'BACKEND_HOST', pause: 'BACKEND_HOST', unpause: 'BACKEND_HOST', destroy: 'BACKEND_HOST',
  tsc: 'BACKEND_CPU_STATE', policy: 'BACKEND_CPU_STATE', hvmContext: 'BACKEND_CPU_STATE', hvmParam: 'BACKEND_CPU_STATE', pvVcpu: 'BACKEND_CPU_STATE',
  setTsc: 'BACKEND_CPU_STATE', setPolicy: 'BACKEND_CPU_STATE', setHvmContext: 'BACKEND_CPU_STATE', setHvmParam: 'BACKEND_CPU_STATE', setPvVcpu: 'BACKEND_CPU_STATE',
  setWidth: 'BACKEND_UNSUPPORTED', width: 'BACKEND_HOST', sharedInfoFrame: 'BACKEND_HOST', pin: 'BACKEND_PAGE_TABLE', complete: 'BACKEND_HOST', close: 'BACKEND_HOST',
  'model.logDirty': 'BACKEND_DEVICE_MODEL', 'model.state': 'BACKEND_DEVICE_MODEL', 'model.xenstore': 'BACKEND_DEVICE_MODEL',
  'model.setState': 'BACKEND_DEVICE_MODEL', 'model.setXenstore': 'BACKEND_DEVICE_MODEL',
  'device.setup': 'BACKEND_UNSUPPORTED', 'device.postsuspend': 'BACKEND_HOST', 'device.preresume': 'BACKEND_HOST', 'device.commit': 'BACKEND_HOST', 'device.teardown': 'BACKEND_HOST',
  'tap.open': 'BACKEND_HOST', 'tap.taken': 'BACKEND_HOST', 'tap.rest': 'BACKEND_HOST', 'tap.send': 'BACKEND_HOST', 'tap.close': 'BACKEND_HOST',
} as const satisfies Record<string, BackendErrorCode>

export type FaultCall = keyof typeof faultCalls

/** Calls of each port under the names that faults have for them. */
const named = (names: readonly FaultCall[]): Readonly<Record<string, FaultCall>> => Object.fromEntries(names.map((name) => [name.replace(/^.*\./, ''), name]))

export const portCalls = {
  memory: named(['frames', 'types', 'map', 'populate']),
  dirty: named(['enable', 'take', 'peek', 'disable']),
  lifecycle: named(['state', 'suspend', 'resume', 'pause', 'unpause', 'destroy']),
  cpu: named(['tsc', 'policy', 'hvmContext', 'hvmParam', 'pvVcpu', 'setTsc', 'setPolicy', 'setHvmContext', 'setHvmParam', 'setPvVcpu']),
  pv: named(['setWidth', 'width', 'sharedInfoFrame', 'pin']),
  deviceModel: named(['model.logDirty', 'model.state', 'model.xenstore', 'model.setState', 'model.setXenstore']),
  device: named(['device.setup', 'device.postsuspend', 'device.preresume', 'device.commit', 'device.teardown']),
  tap: named(['tap.open', 'tap.taken', 'tap.rest', 'tap.send', 'tap.close']),
  handle: named(['complete', 'close']),
  host: named(['list', 'config', 'rename', 'create', 'openForSave', 'openForRestore', 'openShadow', 'openTaps']),
} as const
