import { hints, type Rule } from './rule.ts'

const row = (judges: Rule['judges'], says: string, hint: string): Rule => ({ layer: 'xl', judges, says, hint })

/** The `xl` file. Source: xl_saverestore.c, xl_vmcontrol.c create_domain(). */
export const xlRows = {
  XL_HEADER_CUT: row('RRR', 'the file ends within the xl header or its optional block', hints.cut),
  XL_MAGIC: row('RRR', 'the xl magic is damaged', hints.damaged),
  XL_BYTE_ORDER: row('RR-', 'the byte-order word is not 0x01020304: written on a machine of the other byte order, or damaged', hints.damaged),
  XL_MANDATORY_FLAGS: row('RR-', 'mandatory flags are set that no version of xl defines', hints.newer),
  XL_OPTIONAL_FLAGS: row('---', 'optional flags are set; nobody reads them', hints.harmless),
  XL_BLOCK_SHORT: row('RR-', 'the optional block has no room for the length of the configuration', hints.damaged),
  XL_BLOCK_LONG: row('R--', 'the optional block is longer than 128 MiB; it is passed over and not judged', hints.damaged),
  XL_CONFIG_LENGTH: row('RR-', 'the configuration is longer than the block that holds it', hints.damaged),
  XL_NO_CONFIG: row('RR-', 'there is no configuration: xl restores it only with a config file on its command line', 'xl restore CONFIG FILE, or add one with `xr convert --to xl --config CONFIG`'),
  XL_CONFIG_JSON: row('RR-', 'the configuration is not JSON although the flags say so', 'xl restore CONFIG FILE ignores it'),
  XL_CONFIG_NOT_TERMINATED: row('R--', 'the JSON configuration does not end in a zero byte', hints.writer),
  XL_LIBXC_PAYLOAD: row('-R-', 'a bare libxc image follows: xl takes it for a legacy stream and fails', 'wrap it: `xr convert --to xl`'),
  XL_LEGACY_PAYLOAD: row('--R', 'a legacy stream (Xen 4.5 and before): Xen converts it while restoring, its verifier cannot read it', 'make a current one: `xr convert --to xl`'),
  XL_V2_FLAG_CLEAR: row('RRR', 'the flags announce a legacy stream, but a libxl stream follows', hints.damaged),
} as const satisfies Record<string, Rule>
