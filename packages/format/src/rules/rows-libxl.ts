import { hints, type Rule } from './rule.ts'

const row = (judges: Rule['judges'], says: string, hint: string): Rule => ({ layer: 'libxl', judges, says, hint })

/** The libxl stream. Source: libxl-migration-stream; libxl_stream_read.c; xen.migration.libxl. */
export const libxlRows = {
  XL2_HEADER_CUT: row('RRR', 'the stream ends within the libxl header', hints.cut),
  XL2_IDENT: row('RRR', 'the libxl ident is not "LibxlFmt"', hints.damaged),
  XL2_VERSION: row('RRR', 'the libxl stream version is not 2', hints.newer),
  XL2_BIG_ENDIAN: row('RR-', 'the stream says that its records are big-endian', hints.damaged),
  XL2_OPTION_BITS: row('R-R', 'reserved option bits (2 to 15) are set', hints.harmless),
  XL2_OPTION_BITS_HIGH: row('R--', 'reserved option bits (16 to 31) are set', hints.harmless),
  XL2_RECORD_CUT: row('RRR', 'the stream ends within a libxl record', hints.cut),
  XL2_NO_END: row('RRR', 'the stream ends without the libxl END record', hints.cut),
  XL2_PADDING: row('R-R', 'the padding of a libxl record is not zero', hints.harmless),
  XL2_UNKNOWN_TYPE: row('RRR', 'a libxl record has an unknown type', hints.newer),
  XL2_BODY_NOT_EMPTY: row('R-R', 'a libxl record that carries nothing has a body', hints.writer),
  XL2_NO_LIBXC: row('R--', 'there is no libxc image in the stream: the domain would be empty', hints.damaged),
  XL2_SECOND_LIBXC: row('R--', 'a second libxc image begins; Xen would restore it over the first', hints.damaged),
  XL2_EMULATOR_SHORT: row('RRR', 'an emulator record is too short for its id and index', hints.damaged),
  XL2_EMULATOR_ID: row('R-R', 'the emulator id is none of 0, 1, 2', hints.damaged),
  XL2_EMULATOR_INDEX: row('---', 'the emulator index is not 0; nobody reads it', hints.harmless),
  XL2_EMULATOR_IN_PV: row('RR-', 'an emulator record belongs to a guest that has no emulator', hints.pair),
  XL2_EMULATOR_MISSING: row('---', 'an HVM guest without emulator state: QEMU has nothing to start from', 'check that the save finished; `xr repair --force` writes an image without it'),
  XL2_XENSTORE_NOT_TERMINATED: row('RRR', 'a xenstore key or value does not end in a zero byte', hints.damaged),
  XL2_XENSTORE_KEY: row('RRR', 'a xenstore key is empty or begins with "/"', 'do not restore it: a writer outside the guest’s own subtree has made it'),
  XL2_XENSTORE_PY3: row('--R', 'Xen’s verifier cannot read xenstore data under Python 3', 'a defect of verify-stream-v2 alone; restore does not mind'),
  XL2_GROUP_MISSING: row('RR-', 'libxc records go on behind a CHECKPOINT without the libxl records that complete it', hints.damaged),
  XL2_NOT_IN_CHECKPOINT: row('RRR', 'a record that cannot stand between CHECKPOINT and CHECKPOINT_END', hints.damaged),
  XL2_CHECKPOINT_END_ALONE: row('RR-', 'CHECKPOINT_END stands outside a checkpoint', hints.damaged),
  XL2_STATE_ALONE: row('RR-', 'CHECKPOINT_STATE stands where no state is due', hints.damaged),
  XL2_STATE_EMPTY: row('RRR', 'CHECKPOINT_STATE has no body', hints.damaged),
  XL2_STATE_SHORT: row('RR-', 'CHECKPOINT_STATE is too short for its id', hints.damaged),
  XL2_STATE_ID: row('RR-', 'CHECKPOINT_STATE in this direction can only say NEW', hints.damaged),
  XL2_CHECKPOINT_PLAIN: row('R-R', 'a checkpointed stream where a plain one was told; Xen takes it only as a Remus receiver (`xl migrate-receive -r`)', 'use --stream-type remus, or make a plain image with `xr repair`'),
  XL2_CHECKPOINT_NESTED: row('--R', 'Xen’s verifier cannot follow libxl records behind a CHECKPOINT', 'a limit of verify-stream-v2 alone; restore does not mind'),
} as const satisfies Record<string, Rule>
