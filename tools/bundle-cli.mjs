import { bundleCommand } from './bundle-command.mjs'

await bundleCommand('cli', 'xr')
