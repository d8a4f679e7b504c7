import { BackendError, PAGE_SIZE } from '@xen-replication/hypervisor'
import { refused } from '../hypercall/refused.ts'
import type { HypercallBuffer, HypercallPort } from '../hypercall/hypercall.ts'
import { isPointer, openLibrary, type Koffi, type Pointer } from './libraries.ts'

type Call = (handle: Pointer, ...args: readonly (number | bigint)[]) => number | bigint

/** Hypercalls through libxencall. */
export class NativeHypercalls implements HypercallPort {
  readonly #koffi: Koffi
  readonly #handle: Pointer
  readonly #calls: readonly Call[]
  readonly #allocate: (handle: Pointer, pages: number) => unknown
  readonly #free: (handle: Pointer, at: Pointer, pages: number) => void
  readonly #close: (handle: Pointer) => number
  #open = true

  /** @throws BackendError BACKEND_UNSUPPORTED, BACKEND_DENIED, BACKEND_HOST */
  constructor(koffi: Koffi) {
    const library = openLibrary(koffi, 'xencall')
    this.#koffi = koffi
    this.#calls = [
      library.func('int xencall0(void *h, uint32_t op)'),
      library.func('int xencall1(void *h, uint32_t op, uint64_t a)'),
      library.func('long xencall2L(void *h, uint32_t op, uint64_t a, uint64_t b)'),
      library.func('int xencall3(void *h, uint32_t op, uint64_t a, uint64_t b, uint64_t c)'),
      library.func('int xencall4(void *h, uint32_t op, uint64_t a, uint64_t b, uint64_t c, uint64_t d)'),
      library.func('int xencall5(void *h, uint32_t op, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)'),
    ] as readonly Call[]
    this.#allocate = library.func('void *xencall_alloc_buffer_pages(void *h, size_t pages)') as (handle: Pointer, pages: number) => unknown
    this.#free = library.func('void xencall_free_buffer_pages(void *h, void *p, size_t pages)') as (handle: Pointer, at: Pointer, pages: number) => void
    this.#close = library.func('int xencall_close(void *h)') as (handle: Pointer) => number
    const handle: unknown = library.func('void *xencall_open(void *logger, uint32_t flags)')(null, 0)
    if (!isPointer(handle)) throw refused('BACKEND_HOST', 'the way to the hypervisor, /dev/xen/privcmd, cannot be opened', koffi.errno(), '`xr doctor` tells what is missing')
    this.#handle = handle
  }

  call(number: number, ...args: readonly (number | bigint)[]): number {
    const call = this.#calls[args.length]
    if (call === undefined) throw new RangeError(`hypercall ${number} with ${args.length} arguments`)
    if (!this.#open) throw closed()
    const result = Number(call(this.#handle, number, ...args))
    return result < 0 ? -this.#koffi.errno() : result
  }

  allocate(bytes: number): HypercallBuffer {
    if (!this.#open) throw closed()
    const pages = Math.ceil(bytes / PAGE_SIZE)
    const address = this.#allocate(this.#handle, pages)
    if (!isPointer(address)) throw new BackendError('BACKEND_HOST', `${pages} pages of memory for hypercalls cannot be had`, { hint: 'the control domain has too little memory' })
    const view = new Uint8Array(this.#koffi.view(address, pages * PAGE_SIZE)).fill(0)
    let held = true
    return {
      address,
      bytes: view,
      free: () => {
        if (held && this.#open) this.#free(this.#handle, address, pages)
        held = false
      },
    }
  }

  close(): void {
    if (this.#open) this.#close(this.#handle)
    this.#open = false
  }
}

const closed = (): BackendError => new BackendError('BACKEND_STATE', 'the way to the hypervisor was closed')
