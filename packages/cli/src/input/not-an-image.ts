import type { ByteReader } from '@xen-replication/format'
import { CliError } from '../cli-error.ts'

/** Other files that are taken for images, by their first bytes. */
const others: readonly (readonly [magic: readonly number[], what: string, hint: string])[] = [
  [[0x1f, 0x8b], 'compressed with gzip', 'unpack it on the way: gzip -dc FILE | xr … -'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'compressed with zstd', 'unpack it on the way: zstd -dc FILE | xr … -'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'compressed with xz', 'unpack it on the way: xz -dc FILE | xr … -'],
  [[0x42, 0x5a, 0x68], 'compressed with bzip2', 'unpack it on the way: bzip2 -dc FILE | xr … -'],
  [[0x04, 0x22, 0x4d, 0x18], 'compressed with lz4', 'unpack it on the way: lz4 -dc FILE | xr … -'],
  [[0x7f, 0x45, 0x4c, 0x46], 'an ELF file', 'crash and gdb read core dumps; xr reads what `xl save` writes'],
]

const HINT = 'xr reads what `xl save` writes and what migrations send; `--format` names the kind when the first bytes are damaged'

/** The error for a file whose first bytes no image has. */
export async function notAnImage(path: string, reader: ByteReader): Promise<CliError> {
  const first = await reader.peek(8)
  if (first.length === 0) return refusal(`${path}: empty`, 'the writer never wrote, or the pipe broke at once')
  const other = others.find(([magic]) => magic.every((byte, i) => first[i] === byte))
  if (other !== undefined) return refusal(`${path}: ${other[1]}`, other[2])
  const bytes = Array.from(first, (byte) => byte.toString(16).padStart(2, '0')).join(' ')
  return refusal(`${path}: no Xen image begins with ${bytes}`, HINT)
}

const refusal = (what: string, hint: string): CliError => new CliError('CLI_NOT_AN_IMAGE', what, { offset: 0, hint })
