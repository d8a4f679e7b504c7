// The hypervisor with shadow paging, which Debian leaves out: without it Xen cannot follow what a PV guest writes.
import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { cacheDir, fingerprint, madeOnce } from './cache.mjs'
import { fetchPackages, fetchSource, mergedRoot, unpack } from './debian.mjs'
import { LabError } from './lab-error.mjs'
import { runTool } from './run-tool.mjs'

const buildTools = ['flex', 'bison', 'm4']

/**
 * Builds it from Debian's source package, or finds it in the cache. Wants gcc, make and dpkg-dev on this machine.
 *
 * @param {string} name of the package the hypervisor comes in @param {(line: string) => void} say progress
 * @returns {Promise<string>} the hypervisor
 */
export async function shadowXen(name, say) {
  const packageFile = (await fetchPackages([name])).find((file) => file.includes(`/${name}_`))
  const dir = await madeOnce(join(cacheDir(), `shadow-${fingerprint([import.meta.filename], [packageFile])}`), async (out) => {
    say('building the hypervisor with shadow paging: some minutes')
    const work = mkdtempSync(join(tmpdir(), 'xr-lab-xen-'))
    try {
      copyFileSync(await build(packageFile, work), join(out, 'xen'))
    } finally {
      rmSync(work, { recursive: true, force: true })
    }
  })
  return join(dir, 'xen')
}

async function build(packageFile, work) {
  const tools = join(work, 'tools'), source = join(work, 'source')
  for (const dir of [tools, source]) mkdirSync(dir)
  mergedRoot(tools)
  await unpack((await fetchPackages(buildTools)).filter((file) => /\/(?:flex|bison|m4|libfl2|libsigsegv2)_/.test(file)), tools)
  const xen = join(await fetchSource(packageFile, source), 'xen')
  const config = join(xen, '.config')
  copyFileSync(join(xen, '../debian/xen-kconfig'), config)
  writeFileSync(config, readFileSync(config, 'utf8').replace(/^.*CONFIG_SHADOW_PAGING.*\n/gm, ''))
  appendFileSync(config, 'CONFIG_SHADOW_PAGING=y\n')
  const env = {
    ...process.env,
    PATH: `${tools}/usr/bin:${process.env.PATH}`,
    M4: `${tools}/usr/bin/m4`,
    BISON_PKGDATADIR: `${tools}/usr/share/bison`,
    LD_LIBRARY_PATH: `${tools}/usr/lib/x86_64-linux-gnu`,
  }
  const make = (...words) => runTool('make', ['-C', xen, 'XEN_TARGET_ARCH=x86_64', 'XEN_VENDORVERSION=-shadow', ...words], { env, seconds: 1800, hint: 'building Xen wants gcc, make, python3 and binutils' })
  await make('olddefconfig')
  if (!/^CONFIG_SHADOW_PAGING=y$/m.test(readFileSync(config, 'utf8'))) throw new LabError('this Xen does not know CONFIG_SHADOW_PAGING', 'look at xen/arch/x86/Kconfig of its source')
  await make(`-j${availableParallelism()}`)
  const packed = readdirSync(xen).includes('xen.gz') ? join(xen, 'xen.gz') : undefined
  if (packed === undefined) throw new LabError('make left no xen.gz', 'look at what make printed')
  const plain = join(work, 'xen')
  writeFileSync(plain, gunzipSync(readFileSync(packed)))
  return plain
}
