import { bundleCommand } from './bundle-command.mjs'

await bundleCommand('cli', { xr: 'cli/dist/main.js', 'simulate-worker': 'simulate/dist/jobs/worker.js', 'xen-guard': 'backend-xen/dist/guard/main.js' })
