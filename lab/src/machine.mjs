// One boot of the emulated machine: three disks, one job, what it printed and what it left.
import { spawn } from 'node:child_process'
import { cpSync, createWriteStream, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { LabError } from './lab-error.mjs'

/** What QEMU's emulated processor leaves out: dom0 crashes with SMAP, and Xen's instruction emulator does not know the rest in PVH guests. */
const processor = 'max,-smap,-rdtscp,-avx,-avx2,-f16c,-fma'

/** Lines of dom0, its kernel, Xen and its guests share one serial line; these are not the job's. */
const notTheJob = /^\(XEN\)|^\(d\d+\)|^\[ *\d+\.\d+\]|^LAB> [\d.]+ no module/

const kernelOptions = 'console=hvc0 earlyprintk=xen panic=1 loglevel=4 mitigations=off random.trust_cpu=on'
/**
 * `eager-fpu`: with Xen's other way, which QEMU's processor makes it take, registers are put off until a program touches them, and QEMU 7.2
 * lets XSAVE and XRSTOR touch them unnoticed: beside busy guests, one of 14 sleeps of a program in dom0 ended with registers of somebody else.
 */
const xenOptions = (dom0, vcpus) => `console=com1 com1=115200,8n1 spec-ctrl=eager-fpu dom0_mem=${dom0}M,max:${dom0}M dom0_max_vcpus=${vcpus} loglvl=all guest_loglvl=all`

/** @param {string} value within an option of QEMU, where a comma ends it */
const quoted = (value) => value.replaceAll(',', ',,')

function qemuArgs({ system, disks, memoryMiB, dom0MiB, vcpus, xen }) {
  const disk = (file, keep, at) => [
    '-drive', `file=${quoted(file)},format=raw,if=none,id=disk${at},cache=unsafe${keep ? '' : ',snapshot=on'}`,
    '-device', `virtio-blk-pci,drive=disk${at}`,
  ]
  return [
    '-L', join(system.host, 'usr/share/qemu'), '-L', join(system.host, 'usr/share/seabios'),
    '-accel', 'tcg,thread=multi', '-machine', 'pc', '-cpu', processor, '-m', String(memoryMiB), '-smp', '2',
    '-nodefaults', '-display', 'none', '-no-reboot', '-monitor', 'none', '-serial', 'stdio',
    '-kernel', xen ?? join(system.dir, 'xen'), '-append', xenOptions(dom0MiB, vcpus),
    '-initrd', `${quoted(`${system.dir}/vmlinuz ${kernelOptions}`)},${quoted(join(system.dir, 'first.gz'))}`,
    ...disk(join(system.dir, 'root.ext4'), false, 0), ...disk(disks.workspace, false, 1), ...disk(disks.scratch, true, 2),
  ]
}

/**
 * Boots, waits until the machine powers itself off, and copies /scratch/out.
 *
 * @param {object} boot
 * @param {{ dir: string, host: string, tool: Function }} boot.system
 * @param {{ workspace: string, scratch: string }} boot.disks ext4 images
 * @param {string} boot.out folder for the console's log and what the job left
 * @param {number} boot.seconds until the machine is killed
 * @param {(line: string) => void} boot.onLine each line of the job, as it comes
 * @param {AbortSignal} boot.signal ends the machine
 * @returns {Promise<{ ended: 'powered off' | 'timed out' | 'interrupted' | 'died', seconds: number }>}
 */
export async function boot({ system, disks, out, seconds, memoryMiB, dom0MiB, vcpus, xen, onLine, signal }) {
  const [loader, ...rest] = system.tool.command('qemu-system-x86_64')
  const started = performance.now()
  const env = { ...process.env, QEMU_MODULE_DIR: join(system.host, 'usr/lib/x86_64-linux-gnu/qemu') }
  const child = spawn(loader, [...rest, ...qemuArgs({ system, disks, memoryMiB, dom0MiB, vcpus, xen })], { stdio: ['ignore', 'pipe', 'pipe'], env })
  const log = createWriteStream(join(out, 'console.log'))
  const kill = () => child.kill('SIGKILL')
  process.on('exit', kill)
  let ended = 'powered off', during = 'boot'
  const stop = (why) => () => {
    ended = why
    kill()
  }
  const timer = setTimeout(stop('timed out'), seconds * 1000)
  const interrupt = stop('interrupted')
  signal.addEventListener('abort', interrupt)
  const qemuSaid = []
  child.stderr.on('data', (bytes) => qemuSaid.push(bytes))
  onLines(child.stdout, (line) => {
    log.write(`[${((performance.now() - started) / 1000).toFixed(2).padStart(7)}] ${line}\n`)
    if (/^LAB> [\d.]+ begin/.test(line)) during = 'job'
    else if (/^LAB> [\d.]+ end/.test(line)) during = 'end'
    else if (during === 'job' && !notTheJob.test(line)) onLine(line)
    else if (/^LAB> |Panic on CPU|Kernel panic/.test(line) && !notTheJob.test(line)) onLine(line)
  })
  try {
    const status = await new Promise((resolve, reject) => {
      child.on('error', (error) => reject(new LabError(`QEMU cannot be started: ${error.message}`, 'remove the cache and run again')))
      child.on('close', (code, killedBy) => resolve(code ?? killedBy))
    })
    if (ended === 'powered off' && status !== 0) ended = 'died'
    if (ended === 'died') onLine(`QEMU ended with ${status}: ${Buffer.concat(qemuSaid).toString().trim()}`)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', interrupt)
    process.off('exit', kill)
    await new Promise((resolve) => log.end(resolve))
  }
  return { ended, seconds: (performance.now() - started) / 1000 }
}

/** Calls back with each line; the serial line ends them with any number of carriage returns. */
function onLines(stream, call) {
  let rest = ''
  stream.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split(/\r*\n/)
    rest = lines.pop()
    for (const line of lines) call(line)
  })
  stream.on('end', () => rest !== '' && call(rest))
}

/** An ext4 image of a folder; `megabytes` is how large it may grow, holes take no room here. */
export async function makeDisk(tool, folder, file, megabytes) {
  await tool('mke2fs', ['-q', '-t', 'ext4', '-O', '^has_journal,^metadata_csum', '-m', '0', '-E', 'root_owner=0:0', '-d', folder, file, `${megabytes}M`])
}

/** Copies /scratch/out of an image into a folder. What a machine that was killed had not written yet is not there. */
export async function collect(tool, image, out) {
  mkdirSync(out, { recursive: true })
  await tool('debugfs', ['-R', `rdump /out ${out}`, image]).catch(() => undefined)
  if (!existsSync(join(out, 'out'))) return
  cpSync(join(out, 'out'), out, { recursive: true })
  rmSync(join(out, 'out'), { recursive: true })
}
