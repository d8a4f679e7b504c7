// QEMU migration streams, piece by piece, as their sender would write them.

export const be = (size: 1 | 2 | 4 | 8, value: number): readonly number[] => Array.from({ length: size }, (_, i) => Math.floor(value / 2 ** (8 * (size - 1 - i))) % 256)
export const counted = (text: string): readonly number[] => [text.length, ...ascii(text)]
export const ascii = (text: string): readonly number[] => Array.from(text, (c) => c.charCodeAt(0))

export const header = (version = 3): readonly number[] => [...ascii('QEVM'), ...be(4, version)]
export const configuration = (machine = 'pc'): readonly number[] => [7, ...be(4, machine.length), ...ascii(machine)]
export const command = (number: number, payload: readonly number[] = []): readonly number[] => [8, ...be(2, number), ...be(2, payload.length), ...payload]
export const footer = (id: number): readonly number[] => [0x7e, ...be(4, id)]
export const eos = be(8, 0x10)
export const description = (json = '{"page_size":4096,"devices":[]}'): readonly number[] => [6, ...be(4, json.length), ...ascii(json)]

export interface Head {
  readonly id?: number
  readonly version?: number
}

const begin = (type: number, name: string, { id = 2, version = 4 }: Head): readonly number[] => [type, ...be(4, id), ...counted(name), ...be(4, 0), ...be(4, version)]

/** A table of blocks: name and length each. */
export const table = (...blocks: readonly (readonly [string, number])[]): readonly number[] => [
  ...be(8, blocks.reduce((sum, [, length]) => sum + length, 0) + 4),
  ...blocks.flatMap(([name, length]) => [...counted(name), ...be(8, length)]),
]
export const ramStart = (payload: readonly number[] = [...table(['pc.ram', 0x3000], ['rom', 0x1000]), ...eos], head: Head = {}): readonly number[] => [...begin(1, 'ram', head), ...payload, ...footer(2)]
export const ramMore = (type: 2 | 3, ...pages: readonly (readonly number[])[]): readonly number[] => [type, ...be(4, 2), ...pages.flat(), ...eos, ...footer(2)]
/** A page of one byte value. Without a name it belongs to the block of the page before. */
export const page = (offset: number, fill: number, name?: string): readonly number[] => [...word(offset, 8, name), ...new Array<number>(4096).fill(fill)]
export const zeroPage = (offset: number, name?: string, fill = 0): readonly number[] => [...word(offset, 2, name), fill]
const word = (offset: number, flags: number, name: string | undefined): readonly number[] => (name === undefined ? be(8, offset + flags + 0x20) : [...be(8, offset + flags), ...counted(name)])

export const device = (id: number, name: string, body: readonly number[]): readonly number[] => [...begin(4, name, { id, version: 1 }), ...body, ...footer(id)]
export const end = [0]
