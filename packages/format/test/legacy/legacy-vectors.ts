import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** A legacy stream and what Xen's converter made of it. */
export interface LegacyVector {
  readonly name: string
  readonly width: 32 | 64
  readonly guest: 'pv' | 'hvm'
  readonly reason: string
  readonly conversions: Readonly<Record<'libxc' | 'libxl', { readonly converter_rc: number }>>
}

const at = (file: string): URL => new URL(`../../vectors/legacy/${file}`, import.meta.url)

export const legacyVectors = JSON.parse(readFileSync(at('legacy.json'), 'utf8')) as readonly LegacyVector[]

/** The streams that Xen converts. */
export const goodVectors = legacyVectors.filter(({ conversions }) => conversions.libxl.converter_rc === 0)

/** @param file name without `.bin.gz`. */
export const legacyBytes = (file: string): Uint8Array => new Uint8Array(gunzipSync(readFileSync(at(`${file}.bin.gz`))))
