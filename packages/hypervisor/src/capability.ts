/** What a backend can do beyond saving and restoring. A closed list: callers ask before they call. */
export type Capability =
  | 'create' // make a guest of its own
  | 'log-dirty-pv' // track writes of PV guests, so that they can be saved live
  | 'log-dirty-hvm'
  | 'device-model' // HVM guests have an emulator whose state is saved
  | 'fast-resume' // a suspended guest can go on as if nothing had been
  | 'network-buffer' // guest output can be held back
  | 'disk-epochs' // disk writes can be held back
  | 'restore-beside' // restore while the original still exists on this host
  | 'lock-step' // a restored PVH or HVM guest may run, and be filled again while it stands
  | 'lock-step-pv'
  | 'packet-taps' // packets of a guest can be taken before they leave
