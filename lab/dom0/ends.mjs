// Who saves, restores, sends and receives a guest: the two ends of everything the lab does.
import { existsSync } from 'node:fs'

const oursAt = '/opt/xr/bin/xr-save-helper'

/**
 * `C` is xl with Xen's own save helper, `ours` is xl with `xr-save-helper`, `xr` is the command of that name.
 *
 * @typedef {'C' | 'ours' | 'xr'} End
 */

/** Whether this workspace has all ends. */
export const complete = () => existsSync(oursAt)

/** The save helper of an end that has one. */
export const programOf = (end) => ({ C: `${process.env.XEN_BIN}/libxl-save-helper`, ours: oursAt })[end]

/** The environment of an end's commands; `metered` runs its helper under one that measures it. */
export function environment(end, { metered, ...more } = {}) {
  if (metered !== undefined) return { LIBXL_SAVE_HELPER: '/opt/xr/lab/dom0/bin/metered-helper.mjs', METERED: programOf(end), METER_OUT: metered, ...more }
  return { LIBXL_SAVE_HELPER: end === 'ours' ? oursAt : undefined, ...more }
}

/** @returns {string[]} the command that saves; `keep` is `-c` or nothing */
export const saveCommand = (end, it, file, keep = []) => [end === 'xr' ? 'xr' : 'xl', 'save', ...keep, it.name, file]

export const restoreCommand = (end, file) => [end === 'xr' ? 'xr' : 'xl', 'restore', file]

/** The command that receives, as the other host would run it. */
function receiveCommand(sender, receiver) {
  if (receiver !== 'xr') return 'xl -v migrate-receive'
  return sender === 'xr' ? 'xr receive -' : 'xr receive --xl'
}

/** The command that sends a guest to a receiver on this host. */
export function sendCommand(it, sender, receiver) {
  const there = `peer ${receiveCommand(sender, receiver)}`
  if (sender !== 'xr') return ['xl', 'migrate', '-s', '', it.name, there]
  return ['xr', 'migrate', ...(receiver === 'xr' ? [] : ['--peer', 'xl']), it.name, `exec:${there}`]
}

/** The command that replicates a guest to a receiver on this host. */
export const remusCommand = (it, intervalMs) => ['xl', '-v', 'remus', '-F', '-n', '-d', '-e', '-i', String(intervalMs), '-s', '', it.name, 'peer xl -v migrate-receive -r -e']

/** The command that replicates a guest into nowhere. */
export const remusNowhereCommand = (it, intervalMs) => ['xl', '-v', 'remus', '-F', '-b', '-n', '-d', '-i', String(intervalMs), it.name, 'nowhere']

/** The environment that `peer` reads. @param {string} log path, without its ending */
export const peerEnvironment = (receiver, log, { limit, keep = 'yes' } = {}) => ({
  PEER_LOG: log,
  PEER_KEEP: keep,
  PEER_HELPER: receiver === 'ours' ? oursAt : '',
  PEER_LIMIT: limit === undefined ? '' : String(limit),
})
