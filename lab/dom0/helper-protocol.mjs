// What libxl and its save helper say to each other: messages on the helper's standard output, a number back for most of them on its input.
// Source: Xen tools/libs/light/libxl_save_msgs_gen.pl.

/** Messages by number; those with `answered` wait for libxl's number. */
export const message = { log: 1, progress: 2, suspend: 3, postcopy: 4, checkpoint: 5, waitCheckpoint: 6, switchLogDirty: 7, staticDataDone: 8, restoreResults: 9, complete: 10 }

const unanswered = [message.log, message.progress, message.restoreResults]

/** Whether libxl sends a number back. */
export const answered = (number) => !unanswered.includes(number)

/**
 * Calls back with each whole message of a helper.
 *
 * @param {import('node:stream').Readable} stream the helper's standard output
 * @param {(number: number, frame: Buffer) => void} call `frame` is the message as it came, its length included
 */
export function onMessages(stream, call) {
  let rest = Buffer.alloc(0)
  stream.on('data', (bytes) => {
    rest = Buffer.concat([rest, bytes])
    while (rest.length >= 4 && rest.length >= 2 + rest.readUInt16LE(0)) {
      const size = 2 + rest.readUInt16LE(0)
      call(rest.readUInt16LE(2), rest.subarray(0, size))
      rest = rest.subarray(size)
    }
  })
}

/** Calls back with each number libxl sends. */
export function onAnswers(stream, call) {
  let rest = Buffer.alloc(0)
  stream.on('data', (bytes) => {
    rest = Buffer.concat([rest, bytes])
    for (; rest.length >= 4; rest = rest.subarray(4)) call(rest.readInt32LE(0), rest.subarray(0, 4))
  })
}

/** The files a helper inherits, at the numbers its arguments name. @param {Record<number, number | 'pipe' | 'inherit'>} files */
export function stdioWith(files) {
  const stdio = []
  for (let at = 0; at <= Math.max(...Object.keys(files).map(Number)); at++) stdio.push(files[at] ?? 'ignore')
  return stdio
}

/** The descriptors among a helper's arguments: the stream, and the back channel if there is one. */
export const descriptors = (args) => args.slice(1, 3).map(Number).filter((fd) => fd >= 0)
