import { bundleCommand } from './bundle-command.mjs'

await bundleCommand('save-helper', { 'xr-save-helper': 'save-helper/dist/main.js', 'xen-guard': 'backend-xen/dist/guard/main.js' })
