// A job for dom0: a command, the boot it runs in, its exit status.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { bootDisk } from './boot-sector.mjs'
import { boot, collect, makeDisk } from './machine.mjs'
import { system } from './system.mjs'
import { copyWorkspace } from './workspace.mjs'

/**
 * Boots Xen, runs one command in dom0 and collects /scratch/out.
 *
 * @param {object} job
 * @param {readonly string[]} job.command as dom0 runs it, in /scratch/out
 * @param {readonly string[]} job.input files and folders whose contents go into /scratch/in
 * @param {string} job.out folder for the results; emptied first
 * @param {number} job.seconds the command may take; the boot has two minutes more
 * @param {number} job.memoryMiB of the whole machine @param {number} job.dom0MiB of dom0 @param {number} job.vcpus of dom0
 * @param {string | undefined} job.xen another hypervisor
 * @param {(line: string) => void} job.say progress of the lab @param {(line: string) => void} job.onLine lines of the command
 * @returns {Promise<{ status: number, ended: string, seconds: number }>} `status` is the command's, 125 when there is none
 */
export async function runJob({ command, input, out, seconds, memoryMiB, dom0MiB, vcpus, xen, say, onLine, signal }) {
  const parts = await system(say)
  const work = mkdtempSync(join(process.env.XR_LAB_TMP ?? tmpdir(), 'xr-lab-'))
  try {
    rmSync(out, { recursive: true, force: true })
    mkdirSync(out, { recursive: true })
    const disks = { workspace: join(work, 'workspace.ext4'), scratch: join(work, 'scratch.ext4') }
    copyWorkspace(join(work, 'xr'))
    await makeDisk(parts.tool, join(work, 'xr'), disks.workspace, 600)
    rmSync(join(work, 'xr'), { recursive: true })
    fillScratch(join(work, 'scratch'), { command, input, seconds })
    await makeDisk(parts.tool, join(work, 'scratch'), disks.scratch, 6000)
    say('booting')
    const run = await boot({ system: parts, disks, out, seconds: seconds + 120, memoryMiB, dom0MiB, vcpus, xen, onLine, signal })
    await collect(parts.tool, disks.scratch, out)
    return { ...run, status: statusIn(join(out, 'job.status')) }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** What the job ended with. A machine that was killed may have left nothing, or zeros where the disk had not been written. */
function statusIn(file) {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  return /^\d+\n$/.test(text) ? Number(text) : 125
}

function fillScratch(scratch, { command, input, seconds }) {
  mkdirSync(join(scratch, 'in'), { recursive: true })
  mkdirSync(join(scratch, 'out'))
  for (const path of input) cpSync(path, statSync(path).isDirectory() ? join(scratch, 'in') : join(scratch, 'in', basename(path)), { recursive: true, dereference: true })
  writeFileSync(join(scratch, 'in/seconds'), String(seconds))
  writeFileSync(join(scratch, 'in/command'), command.map((word) => `${word}\0`).join(''))
  writeFileSync(join(scratch, 'in/boot.img'), bootDisk())
}
