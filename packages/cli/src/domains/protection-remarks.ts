import type { AnyObservedEvent } from '@xen-replication/plugin-api'

/** Says what matters of a replication, and of links. @returns to be told every event */
export function protectionRemarks(remark: (text: string) => void): (event: AnyObservedEvent) => void {
  let guest = 'the guest'
  let undecided = false
  return (event) => {
    switch (event.kind) {
      case 'guest.announced':
        guest = event.data.guest
        return
      case 'epoch.acknowledged':
        return event.data.epoch === 0 ? remark(`${guest} is protected`) : undefined
      case 'strategy.move':
        if (event.data.event === 'unknown' && !undecided) remark(undecidedText(guest, event.data.role))
        undecided ||= event.data.event === 'unknown'
    }
  }
}

const undecidedText = (guest: string, role: 'primary' | 'secondary'): string =>
  role === 'primary'
    ? `nobody can say which side may run ${guest}, so it stands still here; asking again. \`xr failover\` lets it run here, \`xr abort\` leaves it paused`
    : `the primary is lost, and nobody can say whether ${guest} may run here; asking again. \`xr failover\` lets it run here, \`xr abort\` drops the copy`
