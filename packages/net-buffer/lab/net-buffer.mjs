#!/usr/bin/env node
// Proves on a real kernel that a guest's packets are held back and let go as they should: node net-buffer.mjs. Needs root, iproute2, and the modules
// ifb, sch_plug, sch_ingress, cls_u32, act_mirred, veth and bridge. Ends with status 0 when all is so, and leaves nothing.
import { netBuffer, runProgram } from '@xen-replication/net-buffer'
import { setTimeout as sleep } from 'node:timers/promises'
import { checks } from './checks.mjs'
import { contract } from './device-cases.mjs'

const clock = { now: () => performance.now(), sleep: (ms) => sleep(ms) }
const hold = ({ vif, ns }) => netBuffer({ vifs: [vif], clock, run: (program, args, input) => runProgram(program, ['-n', ns.host, ...args], input) })

let failed = 0
const all = [...checks(hold), ...contract(hold)]
for (const [i, { name, run }] of all.entries()) {
  try {
    await run()
    console.log(`ok ${i + 1} - ${name}`)
  } catch (error) {
    failed += 1
    console.log(`not ok ${i + 1} - ${name}\n  ${String(error?.stack ?? error).replaceAll('\n', '\n  ')}`)
  }
}
console.log(`${all.length - failed} of ${all.length} checks passed`)
process.exit(failed === 0 ? 0 : 1)
