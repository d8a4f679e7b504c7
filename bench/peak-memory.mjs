// Loaded into a process that is measured: says at its end how much memory it had at most, in KiB.
import { appendFileSync, readFileSync } from 'node:fs'

process.on('exit', () => appendFileSync(process.env.XR_BENCH_PEAK, `${peakKiB()}\n`))

/** The system's own number for this program alone; what resource usage tells on Linux includes the process it was forked from. */
function peakKiB() {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))[1])
  } catch {
    return process.resourceUsage().maxRSS
  }
}
