/** Event channels that every guest has towards its host, by the guest's number for them. */
export const PORTS = { store: 1, console: 2 } as const
