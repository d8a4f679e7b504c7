// The parts of the emulated machine that do not change from run to run: hypervisor, kernel, dom0's root disk, and the programs that run it.
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { cacheDir, dropOthers, fingerprint, madeOnce } from './cache.mjs'
import { initialRamDisk } from './cpio.mjs'
import { fetchPackages, mergedRoot, programsOf, unpack } from './debian.mjs'
import { LabError } from './lab-error.mjs'
import { runTool } from './run-tool.mjs'

/** The package the hypervisor comes in. */
export const hypervisorPackage = 'xen-hypervisor-4.17-amd64'

const here = (name) => join(import.meta.dirname, name)
const wanted = JSON.parse(readFileSync(here('../packages.json'), 'utf8'))
const madeBy = ['../packages.json', 'system.mjs', 'debian.mjs', 'cpio.mjs', '../dom0/first.sh', '../guest/first.sh'].map(here)

/** Packages dom0 depends on by name only are left out of its disk. */
const needed = (file) => !wanted.leftOut.some((name) => basename(file).startsWith(name))
const isKernel = (file) => /^(?:linux-image|xen-hypervisor)-/.test(basename(file))

/**
 * Fetches and builds all of it, or finds it in the cache.
 *
 * @param {(line: string) => void} say progress
 * @returns {Promise<{ dir: string, tool: ReturnType<typeof programsOf>, host: string }>} `dir` holds `xen`, `vmlinuz`, `first.gz` (RAM disk) and `root.ext4`
 */
export async function system(say) {
  const host = await madeOnce(join(cacheDir(), `host-${fingerprint(madeBy.slice(0, 3))}`), async (root) => {
    say('fetching the emulator and its tools')
    mergedRoot(root)
    await unpack(await fetchPackages(wanted.host), root)
    rmSync(join(root, 'usr/share/doc'), { recursive: true, force: true })
  })
  const tool = programsOf(host)
  const node = statSync(process.execPath)
  const dir = await madeOnce(join(cacheDir(), `system-${fingerprint(madeBy, [process.version, String(node.size), String(node.mtimeMs)])}`), async (out) => {
    say('fetching Xen, Linux and what dom0 needs')
    const files = await fetchPackages(wanted.dom0)
    say(`unpacking ${files.length} packages`)
    await build(files, out, tool)
  })
  for (const made of [host, dir]) dropOthers(made)
  return { dir, tool, host }
}

async function build(files, out, tool) {
  const root = join(out, 'root'), kernel = join(out, 'kernel')
  mergedRoot(root)
  mergedRoot(kernel)
  await unpack(files.filter(isKernel), kernel)
  await unpack(files.filter((file) => !isKernel(file) && needed(file)), root)
  for (const part of ['doc', 'man', 'locale', 'info', 'lintian']) rmSync(join(root, 'usr/share', part), { recursive: true, force: true })

  const version = readdirSync(join(kernel, 'lib/modules'))[0]
  const hypervisor = readdirSync(join(kernel, 'boot')).find((name) => /^xen-4\.\d+-amd64\.gz$/.test(name))
  if (version === undefined || hypervisor === undefined) throw new LabError('the packages hold no kernel or no hypervisor', 'look at lab/packages.json')
  writeFileSync(join(out, 'xen'), gunzipSync(readFileSync(join(kernel, 'boot', hypervisor))))
  copyFileSync(join(kernel, `boot/vmlinuz-${version}`), join(out, 'vmlinuz'))
  const modules = await takeModules({ kernel, root, version, tool })
  const busybox = readFileSync(join(root, 'usr/bin/busybox'))
  writeFileSync(join(out, 'first.gz'), firstRamDisk(busybox, modules.early))

  mkdirSync(join(root, 'guest'), { recursive: true })
  writeFileSync(join(root, 'guest/vmlinux'), await plainKernel(readFileSync(join(out, 'vmlinuz')), tool, out))
  writeFileSync(join(root, 'guest/first.gz'), guestRamDisk(busybox, modules.guest))
  await addNode(root)
  addFolders(root)
  await runTool('/sbin/ldconfig', ['-r', root], { hint: 'ldconfig comes with libc-bin' })
  await tool('mke2fs', ['-q', '-t', 'ext4', '-O', '^has_journal,^metadata_csum', '-m', '0', '-E', 'root_owner=0:0', '-d', root, join(out, 'root.ext4'), '1400M'])
  rmSync(root, { recursive: true })
  rmSync(kernel, { recursive: true })
}

/** Copies the kernel modules that dom0 loads, with all they depend on. Returns those the RAM disks load, in order. */
async function takeModules({ kernel, root, version, tool }) {
  await tool('kmod', ['-b', kernel, version], { as: 'depmod' })
  const pathsOf = async (name) => {
    const listing = await tool('kmod', ['-d', kernel, '-S', version, '--show-depends', name], { as: 'modprobe' })
    return [...listing.matchAll(/^insmod (\S+)/gm)].map(([, path]) => path)
  }
  const gather = async (names) => [...new Set((await Promise.all(names.map(pathsOf))).flat())]
  for (const path of await gather(wanted.modules)) {
    const to = join(root, 'lib/modules', version, path.split(`/lib/modules/${version}/`)[1])
    mkdirSync(dirname(to), { recursive: true })
    copyFileSync(path, to)
  }
  for (const name of ['modules.order', 'modules.builtin', 'modules.builtin.modinfo']) copyFileSync(join(kernel, 'lib/modules', version, name), join(root, 'lib/modules', version, name))
  await tool('kmod', ['-b', root, version], { as: 'depmod' })
  const read = async (names) => (await gather(names)).map((path) => ({ name: basename(path), body: readFileSync(path) }))
  return { early: await read(wanted.earlyModules), guest: await read(wanted.guestModules) }
}

const applets = (names) => Object.fromEntries(names.map((name) => [`bin/${name}`, 'busybox']))

function firstRamDisk(busybox, modules) {
  return initialRamDisk({
    directories: ['bin', 'dev', 'proc', 'sys', 'root', 'modules'],
    links: applets(['sh', 'mount', 'insmod', 'switch_root', 'sleep', 'cat']),
    files: {
      'bin/busybox': busybox,
      init: readFileSync(here('../dom0/first.sh')),
      ...moduleFiles(modules),
    },
  })
}

const moduleFiles = (modules) => ({
  'modules/order': modules.map(({ name }) => `${name}\n`).join(''),
  ...Object.fromEntries(modules.map(({ name, body }) => [`modules/${name}`, body])),
})

function guestRamDisk(busybox, modules) {
  return initialRamDisk({
    directories: ['bin', 'dev', 'proc', 'sys', 'work', 'modules'],
    links: applets(['sh', 'mount', 'sleep', 'cat', 'dd', 'echo', 'insmod', 'ip', 'mkfifo', 'nc']),
    files: { 'bin/busybox': busybox, init: readFileSync(here('../guest/first.sh')), ...moduleFiles(modules) },
  })
}

/** The kernel as the ELF file inside a bzImage: Xen starts a guest from it sooner. @see Linux Documentation/arch/x86/boot.rst, payload_offset */
async function plainKernel(image, tool, dir) {
  const start = ((image[0x1f1] || 4) + 1) * 512 + image.readUInt32LE(0x248)
  const packed = join(dir, 'payload.xz'), size = image.readUInt32LE(0x24c)
  writeFileSync(packed, image.subarray(start, start + size - 4)) // the last 4 bytes are the size it unpacks to, not xz
  await tool('xz', ['-d', packed])
  const elf = readFileSync(join(dir, 'payload'))
  rmSync(join(dir, 'payload'))
  if (elf.readUInt32BE(0) !== 0x7f454c46) throw new LabError('the kernel does not hold an xz-packed ELF file', 'another kernel packs itself differently: teach system.mjs')
  return elf
}

/** The Node that runs the lab runs in dom0 as well, with the libraries dom0 lacks. */
async function addNode(root) {
  copyFileSync(process.execPath, join(root, 'usr/bin/node'))
  const listing = await runTool('ldd', [process.execPath])
  for (const [, library] of listing.matchAll(/=> (\/\S+)/g)) {
    const to = join(root, 'usr/lib/x86_64-linux-gnu', basename(library))
    if (!existsSync(to)) cpSync(library, to, { dereference: true })
  }
}

function addFolders(root) {
  for (const dir of ['proc', 'sys', 'dev', 'run', 'tmp', 'root', 'scratch', 'opt/xr', 'var/log/xen/console', 'var/lib/xen', 'etc/xen']) mkdirSync(join(root, dir), { recursive: true })
  rmSync(join(root, 'var/run'), { recursive: true, force: true })
  symlinkSync('/run', join(root, 'var/run'))
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/bin/false\n')
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n')
  writeFileSync(join(root, 'etc/hostname'), 'xr-lab\n')
  writeFileSync(join(root, 'etc/hosts'), '127.0.0.1 localhost xr-lab\n')
  if (!existsSync(join(root, 'usr/bin/awk'))) symlinkSync('mawk', join(root, 'usr/bin/awk'))
  if (!existsSync(join(root, 'usr/bin/sh'))) symlinkSync('bash', join(root, 'usr/bin/sh'))
}
