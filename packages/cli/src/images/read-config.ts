import { ByteReader, configOf, walk } from '@xen-replication/format'
import { CliError } from '../cli-error.ts'
import type { VerbContext } from '../commands/command.ts'
import { notAnImage } from '../input/not-an-image.ts'
import { openImage } from '../input/open-image.ts'

/** The error for a part that an image does not have. */
export const notInImage = (path: string, part: string, hint: string): CliError => new CliError('CLI_NOT_IN_IMAGE', `${path}: the image holds no ${part}`, { hint })

/**
 * The configuration of an `xl` file, without the NUL that ends JSON there. Nothing behind it is read, so it can be had of a cut file too.
 *
 * @throws CliError CLI_NOT_IN_IMAGE | CLI_NOT_AN_IMAGE and as openImage()
 */
export async function readConfig(ctx: VerbContext, path: string): Promise<Uint8Array> {
  const image = await openImage(path, ctx)
  try {
    const reader = new ByteReader(image.source)
    for await (const item of walk(reader)) {
      if (item.kind === 'xl-header') continue
      if (item.kind === 'stop' && item.reason === 'lost' && item.offset === 0) throw await notAnImage(path, reader)
      const config = item.kind === 'xl-block' ? configOf(item.bytes) : undefined
      if (config !== undefined) return config
      break
    }
    throw notInImage(path, 'configuration', 'only files of `xl save` and streams of `xl migrate` do')
  } finally {
    image.close()
  }
}
