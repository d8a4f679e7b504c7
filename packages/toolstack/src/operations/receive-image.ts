import { isXrError } from '@xen-replication/errors'
import { receiveCopy, type PartStore } from '@xen-replication/session'
import { PartFile } from '../copies/part-file.ts'
import type { Emit } from '../observe/fan-out.ts'
import { copyOptions, type LinkOptions } from './link-options.ts'
import type { Host } from './host.ts'
import { canGoOn } from './send-image.ts'

export interface ReceiveImageRequest {
  readonly url: string
  /** Path of the image; it is collected as `PATH.part`. */
  readonly file: string
  readonly link?: LinkOptions | undefined
}

export interface ReceivedImage {
  /** Of the image. */
  readonly bytes: number
}

/**
 * Takes an image from `xr send` or `xr save --peer xr`. It has its name once it is whole and on the disk. When it is interrupted the part stays, and the
 * same call goes on with it.
 *
 * @throws LinkError, SessionError, PluginError, ToolstackError; what the file system throws
 */
export async function receiveImage(host: Host, { url, file, link }: ReceiveImageRequest, signal: AbortSignal): Promise<ReceivedImage> {
  host.links.transport(url)
  return host.operations.run({ verb: 'receive', guest: undefined, url }, signal, async (operation) => {
    const listener = await host.links.listen(url, operation.signal)
    const part = new PartFile(file)
    try {
      const channel = await listener.accept(operation.signal)
      return { bytes: await receiveCopy(copyOptions({ host, operation, channel, listener, url, link }), told(part, operation.emit)) }
    } catch (error) {
      if (isXrError(error) && error.code === 'SESSION_DIGEST') await part.forget()
      throw canGoOn(error)
    } finally {
      await listener.close()
    }
  })
}

/** The same store, and how far it is is told. */
function told(part: PartFile, emit: Emit): PartStore {
  let bytes = 0
  return {
    notes: () => part.notes(),
    open: async (length) => (bytes = await part.open(length)),
    read: (at, max) => part.read(at, max),
    append: async (more) => {
      await part.append(more)
      bytes += more.length
      emit('copy.progress', { bytes, total: undefined })
    },
    note: (notes) => part.note(notes),
    finish: () => part.finish(),
    close: () => part.close(),
  }
}
