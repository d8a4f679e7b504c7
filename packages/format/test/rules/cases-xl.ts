import type { xlRows } from '../../src/rules/rows-xl.ts'
import { ascii, cut, fault, flat, hvm, libxl, piece, theEnd, xl, xlBlock, xlHeader } from './image-builder.ts'
import { vector } from '../vectors.ts'
import type { Case } from './judge.ts'

const block = (text: string, said = text.length): Case['stream'] => ({
  ...xl,
  header: xlHeader({ length: 4 + text.length }),
  block: fault(xlBlock(ascii(text), said)),
})

/** A stream for each rule of the `xl` file. */
export const xlCases: Readonly<Record<keyof typeof xlRows, Case>> = {
  XL_HEADER_CUT: { stream: { header: cut(xl.header, 47), theEnd } },
  XL_MAGIC: { stream: { ...xl, header: fault(xlHeader({ magic: 'Xen saved domain, xl format\n \0 ?' })) } },
  XL_BYTE_ORDER: { stream: { ...xl, header: fault(xlHeader({ byteOrder: 0x04030201 }), 32) } },
  XL_MANDATORY_FLAGS: { stream: { ...xl, header: fault(xlHeader({ mandatory: 7 }), 36) } },
  XL_OPTIONAL_FLAGS: { stream: { ...xl, header: fault(xlHeader({ optional: 1 }), 40) } },
  XL_BLOCK_SHORT: { stream: { ...xl, header: xlHeader({ length: 3 }), block: fault(cut(xl.block, 3)) } },
  XL_BLOCK_LONG: { stream: { header: fault(xlHeader({ length: 0x0800_0001 }), 44), block: xlBlock() }, also: ['XL_HEADER_CUT'] },
  XL_CONFIG_LENGTH: { stream: block('{}\0', 4) },
  XL_NO_CONFIG: { stream: { header: fault(xlHeader({ length: 0 }), 44), stream: xl.stream } },
  XL_CONFIG_JSON: { stream: block('{x\0') },
  XL_CONFIG_NOT_TERMINATED: { stream: block('{}') },
  XL_LIBXC_PAYLOAD: { stream: { ...xl, header: xlHeader({ mandatory: 1 }), stream: flat({ ...hvm, image: fault(hvm.image) }) } },
  XL_LEGACY_PAYLOAD: { stream: { ...xl, header: xlHeader({ mandatory: 1 }), stream: fault(piece(vector('legacy/legacy_hvm64'))) } },
  XL_V2_FLAG_CLEAR: { stream: { ...xl, header: xlHeader({ mandatory: 1 }), stream: flat({ ...libxl, header: fault(libxl.header) }) } },
}
