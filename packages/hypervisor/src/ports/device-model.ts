/** The emulator of an HVM guest. */
export interface DeviceModel {
  /** Has the emulator report its own writes to guest memory, or stop doing so. */
  logDirty(state: 'on' | 'off'): Promise<void>
  /** State of the devices, taken when the guest was suspended: opaque bytes that begin with "QEVM". */
  state(): Promise<Uint8Array>
  /** Keys below the device model's xenstore node that a restore needs, in order. Usually none. */
  xenstore(): Promise<readonly (readonly [key: string, value: string])[]>
}

/** The same of a guest that is being built. */
export interface DeviceModelWriter {
  setState(state: Uint8Array): Promise<void>
  setXenstore(pairs: readonly (readonly [key: string, value: string])[]): Promise<void>
}
