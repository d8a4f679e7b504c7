import { describe, expect, it } from 'vitest'
import { ByteReader } from '../../src/bytes/byte-reader.ts'
import { sourceOfBytes } from '../../src/bytes/byte-source.ts'
import { verify } from '../../src/rules/verify.ts'
import { vector, vectors, type VectorInfo } from '../vectors.ts'

const judge = ({ name, format, domain, streamType }: VectorInfo): ReturnType<typeof verify> =>
  verify(new ByteReader(sourceOfBytes(vector(name))), { format, streamType, ...(domain === null ? {} : { domain }) })

describe('each vector is judged as its three judges do', () => {
  for (const info of vectors) {
    it(`${info.name}: ${info.reason}`, async () => {
      const { verdict, findings } = await judge(info)
      const wanted = { strict: info.wellformed ? 'accept' : 'reject', xen: info.xen, verifier: info.verifier }
      expect(verdict, findings.map(({ code, message }) => `${code} ${message}`).join('\n')).toEqual(wanted)
    })
  }
})
