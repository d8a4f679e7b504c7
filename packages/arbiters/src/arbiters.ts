import { definePlugin, type Plugin } from '@xen-replication/plugin-api'
import { etcdArbiter } from './etcd/etcd-arbiter.ts'
import { execArbiter } from './exec/exec-arbiter.ts'
import { fileArbiter } from './file/file-arbiter.ts'
import { noArbiter } from './none.ts'

export interface ArbiterOptions {
  /** Longest wait for a folder, in milliseconds. */
  readonly fileTimeoutMs?: number
  /** Longest wait for a command, in milliseconds. */
  readonly execTimeoutMs?: number
  /** Environment of commands. */
  readonly env?: NodeJS.ProcessEnv
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** A file server may take that long for a few small files. */
const FILE_TIMEOUT_MS = 5000
/** Long enough for a command to switch a host off. */
const EXEC_TIMEOUT_MS = 60_000

/** The plugin that contributes none, file, exec and etcd. */
export function arbiters({ fileTimeoutMs = FILE_TIMEOUT_MS, execTimeoutMs = EXEC_TIMEOUT_MS, env = process.env, now = Date.now }: ArbiterOptions = {}): Plugin {
  return definePlugin({
    name: '@xen-replication/arbiters',
    api: 1,
    contribute: (to) => {
      to.arbiter('none', noArbiter)
      to.arbiter('file', fileArbiter({ timeoutMs: fileTimeoutMs }))
      to.arbiter('exec', execArbiter({ timeoutMs: execTimeoutMs, env, now }))
      to.arbiter('etcd', etcdArbiter)
    },
  })
}
