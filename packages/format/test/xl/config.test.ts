import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { summariseConfig, type ConfigSummary } from '../../src/xl/config.ts'
import { bytesOfUtf8 } from '../../src/xl/utf8.ts'

const ofJson = (text: string): ConfigSummary => summariseConfig(bytesOfUtf8(text), 'json')
const ofText = (text: string): ConfigSummary => summariseConfig(bytesOfUtf8(text), 'text')
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

const guest = {
  c_info: { type: 'hvm', name: 'h1', uuid: '3000d173-bf69-4c7d-8697-2601a906047e' },
  b_info: { max_vcpus: 4, avail_vcpus: [0, 1], max_memkb: 32768, target_memkb: 16384, 'type.hvm': { bios: 'seabios' }, kernel: '/boot/vmlinuz' },
  disks: [
    { pdev_path: '/tmp/h1.img', vdev: 'hda', backend: 'qdisk', format: 'raw', readwrite: 1 },
    { vdev: 'hdc', readwrite: 'False' },
    { readwrite: 'perhaps' },
  ],
  nics: [{ mac: '00:16:3e:00:00:01', bridge: 'xenbr0', model: 'e1000' }],
  pcidevs: [{}, {}],
  on_reboot: 'restart',
  on_crash: 'preserve',
}

describe('a configuration in libxl’s JSON', () => {
  it('tells what the domain is made of', () => {
    expect(ofJson(JSON.stringify(guest))).toMatchObject({
      kind: 'json',
      name: 'h1',
      uuid: '3000d173-bf69-4c7d-8697-2601a906047e',
      type: 'hvm',
      targetMemory: 16 * 1024 * 1024,
      maxMemory: 32 * 1024 * 1024,
      vcpus: 2,
      maxVcpus: 4,
      kernel: '/boot/vmlinuz',
      firmware: 'seabios',
      onReboot: 'restart',
      onCrash: 'preserve',
      disks: [
        { vdev: 'hda', path: '/tmp/h1.img', backend: 'qdisk', format: 'raw', writable: true },
        { vdev: 'hdc', writable: false },
        { writable: undefined },
      ],
      nics: [{ mac: '00:16:3e:00:00:01', bridge: 'xenbr0', model: 'e1000' }],
      others: { pcidevs: 2 },
    })
  })
  it('keeps the type with the build information in older versions', () => {
    expect(ofJson('{"b_info": {"type": "pv", "type.pv": {"kernel": "/k", "cmdline": "quiet"}}}')).toMatchObject({ type: 'pv', kernel: '/k', cmdline: 'quiet' })
  })
  it.each([
    ['is empty', '{}'],
    ['has values of other kinds', '{"c_info": {"name": 1, "type": "arm", "uuid": null}, "b_info": 1, "disks": {}, "nics": 7}'],
    ['has names of the language’s own', '{"__proto__": {"c_info": {"name": "x"}}, "c_info": {"constructor": "y"}}'],
    ['has numbers out of reach', '{"b_info": {"target_memkb": 1e999, "max_vcpus": 0.5}}'],
  ])('tells nothing but does not fail when it %s', (_, text) => {
    expect(plain(ofJson(text))).toEqual({ kind: 'json', bytes: text.length, disks: [], nics: [], others: {} })
  })
  it('may have lists of anything', () => {
    expect(ofJson('{"disks": [null, 1, "x", [], {"readwrite": 0}], "nics": [false]}')).toMatchObject({ disks: [{}, {}, {}, {}, { writable: false }], nics: [{}] })
  })
  it('does not fail however deep it is', () => {
    expect(ofJson('{"a":'.repeat(200_000)).kind).toBe('unreadable')
    expect(ofJson(`{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`).bytes).toBe(400_006)
  })
  it.each(['{"c_info": {"na', 'null', '7', ''])('is unreadable when it is %j', (text) => {
    expect(plain(ofJson(text))).toEqual({ kind: 'unreadable', bytes: text.length, disks: [], nics: [], others: {} })
  })
  it('may have names beyond ASCII, in UTF-8 or not', () => {
    expect(ofJson('{"c_info": {"name": "grün 5%"}}').name).toBe('grün 5%')
    const latin1 = Uint8Array.from('{"c_info": {"name": "gr\u00fcn"}}', (char) => char.charCodeAt(0))
    expect(summariseConfig(latin1, 'json').name).toBe('gr\ufffdn')
  })
})

describe('a configuration as xl.cfg text', () => {
  it('tells what stands on single lines', () => {
    const text = '# a guest\nname = "web"\nuuid=\'u\'\ntype="pvh"\nmemory = 512\nmaxmem=1024 # MiB\nvcpus = "2"\nmaxvcpus=4\nkernel="/k"\nextra="quiet"\ndisk = [\n  "phy:/dev/x,xvda,w" ]\n = 1\nrubbish'
    expect(ofText(text)).toMatchObject({
      kind: 'text',
      name: 'web',
      uuid: 'u',
      type: 'pvh',
      targetMemory: 512 * 1024 * 1024,
      maxMemory: 1024 * 1024 * 1024,
      vcpus: 2,
      maxVcpus: 4,
      kernel: '/k',
      cmdline: 'quiet',
      disks: [],
      nics: [],
    })
  })
  it('may say builder instead of type, and bios instead of firmware', () => {
    expect(ofText('builder="HVM"\nbios="ovmf"\ncmdline="x"')).toMatchObject({ type: 'hvm', firmware: 'ovmf', cmdline: 'x' })
  })
  it('tells nothing of lines that are not plain settings', () => {
    expect(plain(ofText('name = web\nuuid = "u\nmemory = lots\nvcpus =\nmaxmem = 1234567890123'))).toEqual({ kind: 'text', bytes: 65, disks: [], nics: [], others: {} })
  })
  it('does not fail whatever it is', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(ofText(text).kind).toBe('text')
      expect(['json', 'unreadable']).toContain(ofJson(text).kind)
    }))
  })
})
