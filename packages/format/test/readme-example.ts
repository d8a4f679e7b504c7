import { ByteReader, sourceOfBytes, verify, walk } from '@xen-replication/format'

const words = ['ffffffffffffffff', '58454e46', '00000003', '0000000000000000', '02000000', '0c000000', '04000000', '11000000', '0000000000000000']
const image = Uint8Array.from(words.join('').match(/../g) ?? [], (byte) => parseInt(byte, 16)) // an HVM guest without anything, 48 bytes

for await (const item of walk(new ByteReader(sourceOfBytes(image)))) {
  if (item.kind === 'record') console.log(item.offset, item.layer, item.name, item.length)
}
const { verdict, findings } = await verify(new ByteReader(sourceOfBytes(image)))
console.log(verdict)
for (const { code, offset, message } of findings) console.log(code, offset, message)
