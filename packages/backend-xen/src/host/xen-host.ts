import { BackendError, type Capability, type Clock, type CreateRequest, type DomainSummary, type DomId, type GuestForRestore, type GuestForSave, type HypervisorBackend, type Lifecycle, type PacketTap, type RestoreRequest, type ShadowPorts } from '@xen-replication/hypervisor'
import { XenGuestForRestore } from '../guest-for-restore.ts'
import { XenGuestForSave, type GuestParts } from '../guest-for-save.ts'
import { Guard, type StartGuard } from '../guard/guard.ts'
import { GuestGuard } from '../guest-guard.ts'
import { GuestNetwork } from '../network/guest-network.ts'
import { guestVifs } from '../network/guest-vifs.ts'
import type { Platform } from '../platform/platform.ts'
import { XenDeviceModel } from '../ports/device-model.ts'
import { domainInfo, findInfo, kindOf } from '../ports/domain-info.ts'
import { XenLifecycle } from '../ports/lifecycle.ts'
import { XenShadow } from '../shadow-guest.ts'
import { configFor } from '../xl/config-json.ts'
import { XlDomain } from '../xl/xl-domain.ts'
import { runXl, type XlTool } from '../xl/xl-tool.ts'
import { listDomains, uuidOf } from './domain-list.ts'
import { readConfig } from './user-data.ts'

/** What a host is made of. */
export interface XenHostParts {
  readonly platform: Platform
  readonly xl: XlTool
  readonly capabilities: ReadonlySet<Capability>
  /** Folder of things that live as long as the host runs; only root may enter it. */
  readonly runDir: string
  /** Folder of libxl's own. */
  readonly libxlDir: string
  /** Starts who undoes what outlives this process. */
  readonly startGuard: StartGuard
  /** Whether this host has a network interface of that name. */
  readonly hasInterface: (name: string) => Promise<boolean>
}

/** A real Xen host. Domains are made and ended by `xl`; memory, CPU state and streams are ours. */
export class XenHost implements HypervisorBackend {
  readonly name = 'xen'
  readonly capabilities: ReadonlySet<Capability>
  readonly clock: Clock
  readonly #parts: XenHostParts
  readonly #guest: GuestParts
  /** Domains that this process fills. */
  readonly #filled = new Map<number, XlDomain>()

  constructor(parts: XenHostParts) {
    this.#parts = parts
    this.capabilities = parts.capabilities
    this.clock = parts.platform.clock
    this.#guest = { scratchDir: parts.runDir, destroy: (domId) => this.#destroy(domId), startGuard: parts.startGuard, devices: (domId) => [this.#network(domId), new GuestGuard(domId)] }
  }

  list(): Promise<readonly DomainSummary[]> {
    return listDomains(this.#parts.platform)
  }

  /** As libxl keeps it, under the name that the guest has now: a guest that `xl` received was made under another one. */
  async config(domId: DomId): Promise<string> {
    const { platform, libxlDir } = this.#parts
    const config = await readConfig(domId, uuidOf(domainInfo(platform, domId)), libxlDir)
    const name = await (await platform.xenstore()).read(`/local/domain/${domId}/name`)
    return name === undefined ? config : configFor({ config, name })
  }

  async rename(domId: DomId, name: string): Promise<void> {
    domainInfo(this.#parts.platform, domId)
    await this.#requireFree(name, domId)
    await runXl(this.#parts.xl, ['rename', String(domId), name])
  }

  create(request: CreateRequest): Promise<DomId> {
    return Promise.reject(new BackendError('BACKEND_UNSUPPORTED', `xr makes no guest like ${request.name} on Xen`, { hint: '`xl create` does' }))
  }

  async openForSave(domId: DomId): Promise<GuestForSave> {
    return Promise.resolve(new XenGuestForSave(this.#parts.platform, domId, this.#guest))
  }

  async openForRestore(request: RestoreRequest): Promise<GuestForRestore> {
    const { platform, xl, runDir } = this.#parts
    await this.#requireFree(request.name)
    const domain = await XlDomain.create({ xl, runDir, lifecycle: (domId) => this.lifecycle(domId as DomId) }, request)
    try {
      const guest = new XenGuestForRestore(platform, domain.domId, domain)
      this.#filled.set(domain.domId, domain)
      return guest
    } catch (error) {
      await domain.close('abandoned')
      throw error
    }
  }

  openShadow(domId: DomId): Promise<ShadowPorts> {
    const { platform, runDir, startGuard } = this.#parts
    return XenShadow.open(platform, domId, { scratchDir: runDir, startGuard, modelState: () => this.#filled.get(domId)?.modelState })
  }

  openTaps(domId: DomId): Promise<readonly PacketTap[]> {
    return Promise.reject(new BackendError('BACKEND_UNSUPPORTED', `packets of domain ${domId} are not taken here`, { hint: 'QEMU compares them; see `xr help colo`' }))
  }

  lifecycle(domId: DomId): Lifecycle {
    const { platform, runDir, startGuard } = this.#parts
    let model: XenDeviceModel | undefined
    return new XenLifecycle(platform, domId, () => {
      if (kindOf(domainInfo(platform, domId)) === 'hvm') model ??= new XenDeviceModel(platform, domId, runDir, new Guard(domId, startGuard))
      return { model, destroy: this.#guest.destroy }
    })
  }

  close(): Promise<void> {
    return this.#parts.platform.close()
  }

  #network(domId: number): GuestNetwork {
    const { platform, hasInterface } = this.#parts
    return new GuestNetwork({ vifs: async () => guestVifs(await platform.xenstore(), domId, hasInterface), clock: this.clock })
  }

  /** A domain on its way out goes without help. */
  async #destroy(domId: number): Promise<void> {
    try {
      await runXl(this.#parts.xl, ['destroy', String(domId)])
    } catch (error) {
      if (findInfo(this.#parts.platform, domId) !== undefined) throw error
    }
  }

  async #requireFree(name: string, besides?: number): Promise<void> {
    const holder = (await this.list()).find((one) => one.name === name && one.domId !== besides)
    if (holder !== undefined) throw new BackendError('BACKEND_NAME_TAKEN', `there is a domain ${name} already, number ${holder.domId}`, { hint: 'rename or destroy that one first' })
  }
}
