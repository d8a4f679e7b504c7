import { BackendError, type BackendErrorCode } from '@xen-replication/hypervisor'
import { ERRNO } from '../hypercall/errno.ts'
import { HYPERCALL, type HypercallBuffer, type HypercallPort } from '../hypercall/hypercall.ts'
import { refused } from '../hypercall/refused.ts'
import { readStruct, writeStruct, type Values } from '../hypercall/struct.ts'
import { DOMCTL_BYTES, domctlHead, domctlTables, type DomctlCommands, type DomctlTable } from './tables.ts'

type LayoutOf<C extends keyof DomctlCommands> = DomctlCommands[C]['layout']

/** A command that came back: minus an errno or what it returned, and the fields as the hypervisor left them. */
export interface DomctlAnswer<C extends keyof DomctlCommands> {
  readonly result: number
  readonly values: Values<LayoutOf<C>>
}

/** Control operations on domains, in the form of the hypervisor that runs. */
export class Domctl {
  readonly version: number
  readonly table: DomctlTable
  readonly #port: HypercallPort
  readonly #buffer: HypercallBuffer
  #open = true

  private constructor(port: HypercallPort, buffer: HypercallBuffer, version: number, table: DomctlTable) {
    this.#port = port
    this.#buffer = buffer
    this.version = version
    this.table = table
  }

  /**
   * Finds out which version the hypervisor speaks, by asking for domain 0 in each that is known.
   *
   * @throws BackendError BACKEND_UNSUPPORTED, BACKEND_DENIED
   */
  static open(port: HypercallPort): Domctl {
    const buffer = port.allocate(DOMCTL_BYTES)
    for (const [version, table] of domctlTables) {
      const domctl = new Domctl(port, buffer, version, table)
      const { result } = domctl.try(0, 'info', {})
      if (result >= 0) return domctl
      if (result !== -ERRNO.EACCES) {
        buffer.free()
        throw refused('BACKEND_HOST', 'the hypervisor does not answer control operations', -result)
      }
    }
    buffer.free()
    const known = [...domctlTables].map(([version, { xen }]) => `0x${version.toString(16)} (Xen ${xen})`).join(', ')
    throw new BackendError('BACKEND_UNSUPPORTED', `the hypervisor speaks none of the control interface versions known here: ${known}`, { hint: 'use an xr that knows this Xen; `xl info` tells its version' })
  }

  /** Makes a call and gives back what came of it, good or bad. @param raw fills in what is no field. */
  try<C extends keyof DomctlCommands>(domId: number, command: C, values: Partial<Values<LayoutOf<C>>>, raw?: (union: Uint8Array) => void): DomctlAnswer<C> {
    if (!this.#open) throw new BackendError('BACKEND_STATE', 'the way to the hypervisor was closed')
    const { number, layout } = this.table.commands[command] as { readonly number: number; readonly layout: LayoutOf<C> }
    const { bytes, address } = this.#buffer
    bytes.fill(0, 0, DOMCTL_BYTES)
    writeStruct(domctlHead, bytes, 0, { cmd: number, version: this.version, domain: domId })
    writeStruct(layout, bytes, domctlHead.size, values)
    raw?.(bytes.subarray(domctlHead.size, DOMCTL_BYTES))
    const result = this.#port.call(HYPERCALL.domctl, address)
    return { result, values: readStruct(layout, bytes, domctlHead.size) }
  }

  /** Makes a call that has to work. @throws BackendError `code`, BACKEND_DENIED, BACKEND_NO_SUCH_DOMAIN */
  call<C extends keyof DomctlCommands>(domId: number, command: C, values: Partial<Values<LayoutOf<C>>>, code: BackendErrorCode, what: string): Values<LayoutOf<C>> {
    const answer = this.try(domId, command, values)
    if (answer.result < 0) throw refused(code, `${what} of domain ${domId}`, -answer.result)
    return answer.values
  }

  /** The union as the last call left it; valid until the next. */
  get union(): Uint8Array {
    return this.#buffer.bytes.subarray(domctlHead.size, DOMCTL_BYTES)
  }

  close(): void {
    this.#open = false
    this.#buffer.free()
  }
}
