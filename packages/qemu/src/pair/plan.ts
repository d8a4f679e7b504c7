/** Where something listens, as QMP wants it. */
export type SocketPlace = { readonly host: string; readonly port: number } | { readonly path: string }

/** The network of a pair: packets to the guest go to both, and those of both guests are compared. */
export interface NetworkPlan {
  /** Id of the network device's backend, the same on both sides. */
  readonly netdev: string
  /** Where the primary listens for the secondary: copies of what comes in, and what the secondary's guest sends. */
  readonly mirror: SocketPlace
  readonly compare: SocketPlace
  /** Packets have a virtio-net header; on both sides. */
  readonly vnetHeader: boolean
  /** How long a packet waits for its counterpart before a checkpoint is asked for, in milliseconds; QEMU's own default is 3,000. */
  readonly compareMs?: number
}

/** A disk of a pair: a quorum at the primary, whose writes also go to a disk that the secondary exports. */
export interface DiskPlan {
  /** Id of the quorum. */
  readonly quorum: string
  /** Node at the secondary that is exported. */
  readonly parent: string
}

/** How a pair is to replicate. */
export interface PairPlan {
  /** Where the secondary waits for the primary, as QEMU writes it: `unix:PATH`, `tcp:HOST:PORT`. */
  readonly uri: string
  /** Longest time between two checkpoints, in milliseconds. */
  readonly intervalMs: number
  readonly networks: readonly NetworkPlan[]
  readonly disks: readonly DiskPlan[]
  /** Where the secondary exports disks; needed where there are any. */
  readonly nbd?: SocketPlace
}
