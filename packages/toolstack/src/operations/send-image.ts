import { isLinkLost, LinkError } from '@xen-replication/plugin-api'
import { sendCopy } from '@xen-replication/session'
import { notesBeside, openSentFile } from '../copies/sent-file.ts'
import { dialPatiently } from '../links/dial-patiently.ts'
import { checkLinkOptions, copyOptions, type LinkOptions } from './link-options.ts'
import type { Host } from './host.ts'

export interface SendImageRequest {
  /** Path of the image. */
  readonly file: string
  /** Where `xr receive --to FILE` waits. */
  readonly url: string
  readonly link?: LinkOptions | undefined
  /** How long to go on dialling where nobody listens yet, in milliseconds. */
  readonly patienceMs?: number | undefined
}

export interface SentImage {
  /** Of the image. */
  readonly bytes: number
}

/**
 * Sends an image to another host. When it is interrupted the same call goes on where the receiver is.
 *
 * @throws LinkError, SessionError, PluginError, ToolstackError
 */
export async function sendImage(host: Host, { file, url, link, patienceMs }: SendImageRequest, signal: AbortSignal): Promise<SentImage> {
  host.links.transport(url)
  checkLinkOptions(link)
  return host.operations.run({ verb: 'send', guest: undefined, url }, signal, async (operation) => {
    const { emit } = operation
    const sent = await openSentFile(file, (bytes) => emit('copy.progress', { bytes, total: sent.bytes }))
    try {
      const channel = await dialPatiently(url, { ...host, ...operation, patienceMs })
      const notes = notesBeside(file, url, (error) => emit('save.trouble', { what: 'this transfer cannot be gone on with by another process', error }))
      return { bytes: await sendCopy(copyOptions({ host, operation, channel, url, link }), sent.source, notes) }
    } catch (error) {
      throw canGoOn(error)
    } finally {
      await sent.close()
    }
  })
}

/** What was received stays: that is worth knowing. */
export function canGoOn(error: unknown): unknown {
  if (!isLinkLost(error)) return error
  return new LinkError(error.code as 'LINK_LOST', error.message, { cause: error, hint: 'what has come is kept: run the same command again on both sides, and it goes on from there' })
}
