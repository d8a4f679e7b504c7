import { createCipheriv, createHash, type CipherGCM } from 'node:crypto'

/** Bytes of the stream that one tag stands for. */
const BLOCK = 256 * 1024
const CIPHER = 'aes-256-gcm'
const NONCE_BYTES = 12

/**
 * Digest of a whole stream, wherever it was cut: SHA-256 over the GMAC tags of its blocks of 256 KiB, the last one being shorter, and its length. Tags
 * are those of AES-256-GCM over the block as associated data, with the block's number as nonce. Unlike a plain SHA-256 it costs less than the copies on
 * the way: processors that do TLS do GMAC several times faster.
 */
export class StreamDigest {
  readonly #key: Uint8Array
  readonly #tags = createHash('sha256')
  #block: CipherGCM | undefined
  #blocks = 0
  #left = BLOCK
  #bytes = 0

  /** @param session key of the session. */
  constructor(session: Uint8Array) {
    this.#key = createHash('sha256').update('xr stream digest\0').update(session).digest()
  }

  update(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + this.#left)
      this.#block ??= this.#begin()
      this.#block.setAAD(piece)
      at += piece.length
      this.#left -= piece.length
      if (this.#left === 0) this.#end()
    }
    this.#bytes += bytes.length
  }

  #begin(): CipherGCM {
    const nonce = new DataView(new ArrayBuffer(NONCE_BYTES))
    nonce.setBigUint64(0, BigInt(this.#blocks), true)
    this.#blocks += 1
    return createCipheriv(CIPHER, this.#key, new Uint8Array(nonce.buffer))
  }

  #end(): void {
    if (this.#block === undefined) return
    this.#block.final()
    this.#tags.update(this.#block.getAuthTag())
    this.#block = undefined
    this.#left = BLOCK
  }

  /** 32 bytes; nothing may follow. */
  digest(): Uint8Array {
    this.#end()
    const length = new DataView(new ArrayBuffer(8))
    length.setBigUint64(0, BigInt(this.#bytes), true)
    return this.#tags.update(new Uint8Array(length.buffer)).digest()
  }
}
