// A job for dom0, from the words on the command line to its exit status.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { bootDisk } from './boot-sector.mjs'
import { boot, collect, makeDisk } from './machine.mjs'
import { system } from './system.mjs'
import { copyWorkspace } from './workspace.mjs'

/**
 * Boots Xen, runs one script in dom0 and collects /scratch/out.
 *
 * @param {object} job
 * @param {string} job.script a .sh (bash) or .mjs (Node) file
 * @param {readonly string[]} job.words its arguments
 * @param {string | undefined} job.input folder that becomes /scratch/in
 * @param {string} job.out folder for the results; emptied first
 * @param {number} job.seconds the script may take; the boot has two minutes more
 * @param {number} job.memoryMiB of the whole machine @param {number} job.dom0MiB of dom0
 * @param {string | undefined} job.xen another hypervisor
 * @param {(line: string) => void} job.say progress of the lab @param {(line: string) => void} job.onLine lines of the script
 * @returns {Promise<{ status: number, ended: string, seconds: number }>} `status` is the script's, 125 when there is none
 */
export async function runJob({ script, words, input, out, seconds, memoryMiB, dom0MiB, xen, say, onLine, signal }) {
  const parts = await system(say)
  const work = mkdtempSync(join(process.env.XR_LAB_TMP ?? tmpdir(), 'xr-lab-'))
  try {
    rmSync(out, { recursive: true, force: true })
    mkdirSync(out, { recursive: true })
    const disks = { workspace: join(work, 'workspace.ext4'), scratch: join(work, 'scratch.ext4') }
    copyWorkspace(join(work, 'xr'))
    await makeDisk(parts.tool, join(work, 'xr'), disks.workspace, 600)
    rmSync(join(work, 'xr'), { recursive: true })
    fillScratch(join(work, 'scratch'), { script, words, input, seconds })
    await makeDisk(parts.tool, join(work, 'scratch'), disks.scratch, 6000)
    say('booting')
    const run = await boot({ system: parts, disks, out, seconds: seconds + 120, memoryMiB, dom0MiB, xen, onLine, signal })
    await collect(parts.tool, disks.scratch, out)
    const status = join(out, 'job.status')
    return { ...run, status: existsSync(status) ? Number(readFileSync(status, 'utf8')) : 125 }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function fillScratch(scratch, { script, words, input, seconds }) {
  mkdirSync(join(scratch, 'in'), { recursive: true })
  mkdirSync(join(scratch, 'out'))
  if (input !== undefined) cpSync(input, join(scratch, 'in'), { recursive: true, dereference: true })
  cpSync(script, join(scratch, 'in', `job${extname(script)}`))
  writeFileSync(join(scratch, 'in/seconds'), String(seconds))
  writeFileSync(join(scratch, 'in/words'), words.map((word) => `${word}\0`).join(''))
  writeFileSync(join(scratch, 'in/boot.img'), bootDisk())
}
