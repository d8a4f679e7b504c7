import type { AnyObservedEvent } from '@xen-replication/plugin-api'

/** Says what matters of a replication, and of links. @returns to be told every event */
export function protectionRemarks(remark: (text: string) => void): (event: AnyObservedEvent) => void {
  const names: string[] = []
  let guest = 'the guest'
  let [undecided, held] = [false, false]
  return (event) => {
    switch (event.kind) {
      case 'guest.announced':
        names.push(event.data.guest)
        guest = names.join(' ') // those of a group come one by one
        return
      case 'epoch.acknowledged':
        return event.data.epoch === 0 ? remark(`${guest} is protected`) : undefined
      case 'strategy.move': {
        const { event: what, role } = event.data
        if (what === 'checkpoint-read' && !held) remark(`a whole copy of ${guest} is held here; it does not run`)
        if (what === 'unknown' && !undecided) remark(undecidedText(guest, role))
        if (what === 'won') remark(role === 'primary' ? `${guest} may go on here` : `${guest} may run here, taking over`)
        held ||= what === 'checkpoint-read'
        undecided ||= what === 'unknown'
      }
    }
  }
}

const undecidedText = (guest: string, role: 'primary' | 'secondary'): string =>
  role === 'primary'
    ? `nobody can say which side may run ${guest}, so it stands still here; asking again. \`xr failover\` lets it run here, \`xr abort\` leaves it paused`
    : `the primary is lost, and nobody can say whether ${guest} may run here; asking again. \`xr failover\` lets it run here, \`xr abort\` drops the copy`
