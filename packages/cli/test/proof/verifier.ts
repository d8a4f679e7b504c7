import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const home = fileURLToPath(new URL('../../../../node_modules/.cache/xen-utils-4.17/', import.meta.url))

/** Whether Xen's own verify-stream-v2 is here; `node tools/fetch-verifier.mjs` puts it there. */
export const hasVerifier = existsSync(`${home}verify-stream-v2`)

/** What it says of a file: nothing when it accepts, else its words. */
export function objections(file: string, format: 'xl' | 'libxl'): Promise<string> {
  const args = [`${home}verify-stream-v2`, '-f', format, '-i', file]
  const env = { PYTHONPATH: `${home}python`, PYTHONDONTWRITEBYTECODE: '1' }
  return new Promise((resolve) => {
    execFile('python3', args, { env: { PATH: process.env['PATH'], ...env } }, (error, stdout, stderr) => resolve(error === null ? '' : `${stdout}${stderr}` || error.message))
  })
}
