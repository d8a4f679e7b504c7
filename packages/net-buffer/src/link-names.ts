import { createHash } from 'node:crypto'
import { NetBufferError } from './net-buffer-error.ts'

/** Longest name of a network device, in bytes. Source: IFNAMSIZ in linux/if.h, less the zero at its end */
const LONGEST = 15
const PREFIX = 'xr-'

/** A network device of the guest and the one that its packets wait at. */
export interface BufferedVif {
  readonly vif: string
  readonly ifb: string
}

/**
 * The names for a guest's devices. They are the same in every process, so that what a dead one has left is found.
 *
 * @throws NetBufferError NETBUF_VIF
 */
export function bufferedVifs(vifs: readonly string[]): readonly BufferedVif[] {
  for (const vif of vifs) {
    if (!/^[A-Za-z0-9_][A-Za-z0-9_.:@-]{0,14}$/.test(vif) || vif.startsWith(PREFIX)) throw new NetBufferError('NETBUF_VIF', `'${vif}' is not the name of a guest's network interface`, { hint: 'they are called vif3.0 or the like; see `xl network-list` and `ip link`' })
  }
  if (new Set(vifs).size !== vifs.length) throw new NetBufferError('NETBUF_VIF', 'a network interface is named twice', { hint: 'name each once' })
  return vifs.map((vif) => ({ vif, ifb: ifbFor(vif) }))
}

function ifbFor(vif: string): string {
  const name = `${PREFIX}${vif}`
  return name.length <= LONGEST ? name : `${PREFIX}${createHash('sha256').update(vif).digest('hex').slice(0, LONGEST - PREFIX.length)}`
}
