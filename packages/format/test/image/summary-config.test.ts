import { describe, expect, it } from 'vitest'
import { summariseConfig } from '../../src/image/summary-config.ts'
import { ascii } from '../rules/image-builder.ts'

const ofJson = (value: unknown): ReturnType<typeof summariseConfig> => summariseConfig(ascii(`${JSON.stringify(value)}\0`), true)

describe('a configuration in the JSON of libxl', () => {
  it('gives name, type, vCPUs, memory and devices', () => {
    const config = ofJson({
      c_info: { name: 'web', uuid: '3000d173-bf69-4c7d-8697-2601a906047e', type: 'hvm' },
      b_info: { max_vcpus: 2, max_memkb: 16384, target_memkb: 8192, kernel: '/boot/vmlinuz' },
      disks: [{ vdev: 'hda', pdev_path: '/img', backend: 'qdisk', format: 'raw', readwrite: 1 }],
      nics: [{ mac: '00:16:3e:00:00:01', bridge: 'xenbr0', model: 'e1000' }],
      pcidevs: [{}, {}],
    })
    expect(config).toMatchObject({
      kind: 'json',
      name: 'web',
      uuid: '3000d173-bf69-4c7d-8697-2601a906047e',
      type: 'hvm',
      maxVcpus: 2,
      maxMemory: 16 * 1024 * 1024,
      targetMemory: 8 * 1024 * 1024,
      kernel: '/boot/vmlinuz',
      disks: [{ vdev: 'hda', path: '/img', backend: 'qdisk', format: 'raw' }],
      nics: [{ mac: '00:16:3e:00:00:01', bridge: 'xenbr0', model: 'e1000' }],
      others: { pcidevs: 2 },
    })
  })

  it('leaves out what is missing or of another kind', () => {
    expect(ofJson({ c_info: [], b_info: { max_vcpus: 'many' }, disks: {}, nics: [7, {}] })).toMatchObject({
      kind: 'json',
      name: undefined,
      maxVcpus: undefined,
      disks: [],
      nics: [{ mac: undefined }],
      others: {},
    })
  })

  it('is unreadable when it is not JSON, or no object', () => {
    expect(summariseConfig(ascii('{"c_info":'), true)).toMatchObject({ kind: 'unreadable', bytes: 10, name: undefined })
    expect(ofJson([1]).kind).toBe('unreadable')
    expect(ofJson(null).kind).toBe('unreadable')
  })

  it('may have names beyond ASCII, in UTF-8 or not', () => {
    expect(summariseConfig(Uint8Array.from([...ascii('{"c_info":{"name":"gr'), 0xc3, 0xbc, ...ascii('n 5%"}}')]), true).name).toBe('grün 5%')
    expect(summariseConfig(Uint8Array.from([...ascii('{"c_info":{"name":"gr'), 0xfc, ...ascii('n"}}')]), true).name).toBe('grün')
  })
})

describe('a configuration as an administrator writes it', () => {
  it('gives the settings that stand alone on a line', () => {
    const text = '# guest\nname = "web"\n builder=\'hvm\'\nvcpus = 2 # two\nmemory = 512\nkernel = "/boot/vmlinuz"\ndisk = [ "x" ]\n'
    expect(summariseConfig(ascii(text), false)).toMatchObject({
      kind: 'cfg',
      name: 'web',
      type: 'hvm',
      maxVcpus: 2,
      targetMemory: 512 * 1024 * 1024,
      kernel: '/boot/vmlinuz',
      disks: [],
    })
  })

  it('prefers the newer words, and leaves out what is missing or no number', () => {
    expect(summariseConfig(ascii('type = "pvh"\nbuilder = "hvm"\nmaxvcpus = 4\nvcpus = 2\nmemory = lots\n'), false)).toMatchObject({
      type: 'pvh',
      maxVcpus: 4,
      targetMemory: undefined,
      name: undefined,
    })
  })
})
