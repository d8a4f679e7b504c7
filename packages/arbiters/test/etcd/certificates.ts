import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import type { TempDir } from '../temp-dir.ts'

/** Makes an authority `NAME.ca.pem` and what it signs: `NAME.pem` with `NAME.key`, for localhost and 127.0.0.1. */
export function makeCertificates(dir: TempDir, name: string): { readonly ca: string; readonly cert: string; readonly key: string } {
  const [ca, caKey, cert, key, request, extensions] = ['ca.pem', 'ca.key', 'pem', 'key', 'csr', 'ext'].map((end) => dir.path(`${name}.${end}`)) as [string, string, string, string, string, string]
  const openssl = (...args: string[]): unknown => execFileSync('openssl', args, { stdio: 'pipe' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  writeFileSync(extensions, 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
  openssl('req', '-x509', ...newKey, '-keyout', caKey, '-out', ca, '-days', '2', '-subj', `/CN=${name} authority`)
  openssl('req', ...newKey, '-keyout', key, '-out', request, '-subj', `/CN=${name}`)
  openssl('x509', '-req', '-in', request, '-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-days', '2', '-extfile', extensions, '-out', cert)
  return { ca, cert, key }
}
