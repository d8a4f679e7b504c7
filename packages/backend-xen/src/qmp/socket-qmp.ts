import { isXrError } from '@xen-replication/errors'
import { BackendError, type Clock } from '@xen-replication/hypervisor'
import { openQmp, type Qmp } from '@xen-replication/qmp'
import { QMP_TIMEOUT_MS, type QmpClient } from './qmp-client.ts'

/** Where the device model of a domain takes commands. */
export const qmpPath = (domId: number, runDir = '/var/run/xen'): string => `${runDir}/qmp-libxl-${domId}`

/** The device model of a domain over its socket; what goes wrong is an error of this backend. One that is late is given up. */
export class SocketQmp implements QmpClient {
  readonly #qmp: Qmp
  #ended: BackendError | undefined

  private constructor(qmp: Qmp) {
    this.#qmp = qmp
  }

  /** Connects and agrees on capabilities. @throws BackendError BACKEND_DEVICE_MODEL */
  static async open(path: string, clock: Clock): Promise<SocketQmp> {
    try {
      return new SocketQmp(await openQmp(path, { clock, answerMs: QMP_TIMEOUT_MS }))
    } catch (error) {
      throw refused(error)
    }
  }

  async execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown> {
    if (this.#ended !== undefined) throw this.#ended
    try {
      return await this.#qmp.execute(command, args)
    } catch (error) {
      if (isXrError(error) && error.code === 'QMP_TIMEOUT') this.#end(refused(error))
      throw this.#ended ?? refused(error)
    }
  }

  close(): void {
    this.#end(new BackendError('BACKEND_STATE', 'the link to the device model was closed'))
  }

  #end(error: BackendError): void {
    this.#ended ??= error
    this.#qmp.close()
  }
}

function refused(cause: unknown): BackendError {
  const what = cause instanceof Error ? cause.message : String(cause)
  return new BackendError('BACKEND_DEVICE_MODEL', `device model: ${what}`, { cause, hint: 'its log is in /var/log/xen/qemu-dm-NAME.log' })
}
