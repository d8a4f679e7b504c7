// The archive a Linux kernel unpacks as its first root file system: cpio, "newc" format.
import { gzipSync } from 'node:zlib'

const directory = 0o040755, program = 0o100755, link = 0o120777

/** @param {number} size */
const padding = (size) => Buffer.alloc((4 - (size % 4)) % 4)

/** One member: a head of hexadecimal fields, the name, the contents, each padded to 4 bytes. @see Linux Documentation/driver-api/early-userspace/buffer-format.rst */
function member(name, mode, body, inode) {
  const path = Buffer.from(`${name}\0`)
  const fields = [inode, mode, 0, 0, 1, 0, body.length, 0, 0, 0, 0, path.length, 0]
  const head = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`)
  return Buffer.concat([head, path, padding(head.length + path.length), body, padding(body.length)])
}

/**
 * An initial RAM disk, gzip'ed.
 *
 * @param {{ directories: readonly string[], links: Record<string, string>, files: Record<string, Uint8Array | string> }} tree every file is executable
 */
export function initialRamDisk({ directories, links, files }) {
  const members = [
    ...directories.map((name) => [name, directory, Buffer.alloc(0)]),
    ...Object.entries(links).map(([name, to]) => [name, link, Buffer.from(to)]),
    ...Object.entries(files).map(([name, body]) => [name, program, Buffer.from(body)]),
  ].map(([name, mode, body], at) => member(name, mode, body, at + 1))
  return gzipSync(Buffer.concat([...members, member('TRAILER!!!', 0, Buffer.alloc(0), 0)]), { level: 6 })
}
