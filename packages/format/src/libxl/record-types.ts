/** Record types of the libxl stream. Source: libxl-migration-stream, "Records". */
export const XL2 = {
  END: 0,
  LIBXC_CONTEXT: 1,
  EMULATOR_XENSTORE_DATA: 2,
  EMULATOR_CONTEXT: 3,
  CHECKPOINT_END: 4,
  CHECKPOINT_STATE: 5,
} as const

const names = new Map<number, string>(Object.entries(XL2).map(([name, type]) => [type, name]))

/** The record's name, or undefined for a type that the specification does not have. */
export const xl2RecordName = (type: number): string | undefined => names.get(type)
